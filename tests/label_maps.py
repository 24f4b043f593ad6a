"""The label maps of every kind that the tests share."""
import numpy as np


def random_map(rng, shape, n_superpixels, none=.1, dtype='int32'):
    """A random label at each pixel; if the dtype is signed, a share of them is -1: (batch, *spatial)."""
    labels = rng.randint(0, n_superpixels, shape)
    if np.dtype(dtype).kind == 'i':
        labels[rng.uniform(size=shape) < none] = -1
    return labels.astype(dtype)


def regions_map(rng, shape, n_superpixels, dtype='int32'):
    """Compact regions, as superpixels are: each pixel has the label of the nearest of random seeds."""
    labels = np.empty(shape, dtype)
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in shape[1:]], indexing='ij'), -1)
    for image in labels:
        seeds = rng.uniform(size=(n_superpixels, len(shape) - 1)) * shape[1:]
        image[...] = ((grid[..., None, :] - seeds) ** 2).sum(-1).argmin(-1)
    return labels


#: name -> map (2, 5, 7) with labels below 6: each is a case that once broke somebody's pooling.
def hard_maps():
    rng = np.random.RandomState(1)
    islands = np.zeros((2, 5, 7), 'int32')
    islands[:, ::2, ::2] = 3
    stripes = np.broadcast_to(np.arange(7, dtype='int32') % 6, (2, 5, 7))
    return {
        'one superpixel': np.full((2, 5, 7), 4, 'int32'),
        'no pixel belongs to any': np.full((2, 5, 7), -1, 'int32'),
        'islands with one label': islands,
        'labels with gaps': np.where(islands == 3, 5, 1).astype('int32'),
        'one pixel of its own': np.where(np.arange(35).reshape(5, 7) == 34, 5, [[[0]], [[2]]]).astype('int32'),
        'stripes across the rows': stripes,
        'another map in each image': np.stack([islands[0], stripes[0]]),
        'random with none': random_map(rng, (2, 5, 7), 6),
        'large negative labels': np.where(islands == 3, np.iinfo('int32').min, 2).astype('int32'),
    }
