"""One superpixel map, or one image of weights, for a whole batch: what Theano does not broadcast by itself.

It broadcasts an axis only if it knows, when the graph is built, that the axis has one element. Here the number of maps
may be known only when the function runs.
"""
import theano.tensor as T


def for_each_image(maps, batch):
    """Return one map for each of `batch` images: the maps themselves, or the only one `batch` times."""
    return T.repeat(maps, T.switch(T.eq(maps.shape[0], 1), batch, 1), axis=0)


def sum_over_images(gradient, maps):
    """Return the sum of a gradient over the images that share a map, in the shape of `maps`: the adjoint of the above.

    If each image has a map of its own, each sum has one term.
    """
    images = maps.shape[0]
    sharing = gradient.shape[0] // T.maximum(images, 1)
    spatial = [gradient.shape[axis] for axis in range(1, gradient.ndim)]
    return gradient.reshape([images, sharing] + spatial, ndim=gradient.ndim + 1).sum(axis=1)
