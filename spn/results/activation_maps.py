"""Class activation maps, from the class scores of a trained network.

CAM are the class scores of the GAP branch, resized to the image; SP-CAM are the class scores of each superpixel,
painted on its pixels. Over several image sizes the maximum is taken, as in the paper, or the mean if superpixels that
look alike share their scores; over several superpixel maps the mean is taken.
"""
import numpy as np
from PIL import Image


class ActivationMaps:
    """Activation maps of the images of a data set, from a trained network.

    Parameters
    ----------
    trained : spn.networks.superpixel_pooling_network.SuperpixelPoolingNetwork
    features : list of spn.networks.features.Features
        One for each image size.
    superpixels : list of spn.data.dataset.SuperpixelMaps
    sizes : ndarray, (n, 2)
        Rows and columns of each image.
    """

    def __init__(self, trained, features, superpixels, sizes):
        self.trained, self.features, self.superpixels, self.sizes = trained, features, superpixels, sizes
        self._image, self._remembered = None, {}

    def scores(self, i):
        """Class scores of image `i`.

        Returns
        -------
        cell_scores : list of ndarray, (classes, h, w) each
            One for each image size; empty without the GAP branch.
        superpixel_scores : list of list of ndarray, (n, classes) each
            By image size and superpixel map; empty without the superpixel branch.
        image_scores : list of list of ndarray, (classes,) each
            By image size and superpixel map; empty without the superpixel branch.
        """
        return self.remembered(i, 'scores', lambda: self._scores(i))

    def _scores(self, i):
        cell_scores, superpixel_scores, image_scores = zip(*[
            self.trained.scores(features[i], self.superpixel_maps(i), features.fine[i]) for features in self.features])
        return ([scores for scores in cell_scores if scores is not None], list(filter(len, superpixel_scores)),
                list(filter(len, image_scores)))

    def superpixel_maps(self, i):
        """The superpixel maps of image `i`, a list of ndarray of int32, (rows, cols) each."""
        return self.remembered(i, 'superpixel maps', lambda: [maps[i] for maps in self.superpixels])

    def remembered(self, i, key, compute):
        """What `compute` returns, kept until another image is asked for: several methods use it in turn.

        Parameters
        ----------
        i : int
        key : hashable
            What it is.
        compute : callable
        """
        if i != self._image:
            self._image, self._remembered = i, {}
        if key not in self._remembered:
            self._remembered[key] = compute()
        return self._remembered[key]

    def probabilities(self, i):
        """The probability of each class in image `i`, (classes,): the mean over branches, sizes and superpixel maps."""
        cell_scores, _, image_scores = self.scores(i)
        logits = [scores.mean(axis=(1, 2)) + self.trained.bias('cell_scores') for scores in cell_scores]
        logits += [scores + self.trained.bias('superpixel_scores') for by_map in image_scores for scores in by_map]
        return np.mean(1 / (1 + np.exp(-np.array(logits))), axis=0)

    def cam(self, i, classes, sizes=None, resample=Image.BILINEAR):
        """CAM of some classes, (classes, rows, cols).

        Parameters
        ----------
        i : int
        classes : ndarray of int
        sizes : list of int, optional
            Indices of the image sizes to use; all of them if None.
        resample : int
            Pillow's filter for resizing the scores.
        """
        cell_scores = chosen(self.scores(i)[0], sizes)
        return np.max([resized(scores[classes], self.sizes[i], resample) for scores in cell_scores], axis=0)

    def cam_in_superpixels(self, i, classes, sizes=None):
        """CAM averaged in superpixels afterwards: the baseline that the superpixel layer has to beat."""
        cam = self.cam(i, classes, sizes)
        return np.mean([averaged(cam, each) for each in self.superpixel_maps(i)], axis=0)

    def sp_cam(self, i, classes, sizes=None):
        """SP-CAM of some classes, (classes, rows, cols)."""
        superpixel_scores = chosen(self.scores(i)[1], sizes)
        sp_cams = [[painted(scores[:, classes], each) for scores, each in zip(by_map, self.superpixel_maps(i))]
                   for by_map in superpixel_scores]
        return np.max([np.mean(by_map, axis=0) for by_map in sp_cams], axis=0)

    def correlated_cam(self, i, classes, sizes=None):
        """CAM averaged in superpixels afterwards, then over superpixels that look alike; the mean over image sizes."""
        cams = [resized(scores[classes], self.sizes[i]) for scores in chosen(self.scores(i)[0], sizes)]
        return self.correlated(i, [[means_in(cam, each) for each in self.superpixel_maps(i)] for cam in cams], sizes)

    def correlated_sp_cam(self, i, classes, sizes=None, signed=False):
        """SP-CAM averaged over superpixels that look alike; the mean over image sizes.

        Unless `signed`, negative scores count as 0: evidence against a class is not shared.
        """
        superpixel_scores = [[scores[:, classes] for scores in by_map] for by_map in chosen(self.scores(i)[1], sizes)]
        return self.correlated(i, superpixel_scores, sizes, signed)

    def correlated(self, i, scores, sizes=None, signed=False):
        """Scores averaged over superpixels of image `i` that look alike, (classes, rows, cols); the mean over image
        sizes.

        Parameters
        ----------
        i : int
        scores : list of list of ndarray, (n, classes) each
            By image size and superpixel map.
        sizes : list of int, optional
            Indices of the image sizes of `scores`; all of them if None.
        signed : bool
            Whether negative scores are kept; otherwise they count as 0.
        """
        maps, by_size = self.superpixel_maps(i), []
        for by_map, size in zip(scores, range(len(self.features)) if sizes is None else sizes):
            evidence = np.concatenate(by_map).astype('float32')
            shared = self.correlation(i, size).dot(evidence if signed else np.maximum(evidence, 0))
            shared = np.split(shared, np.cumsum([len(each) for each in by_map])[:-1])
            by_size.append(np.mean([painted(*each) for each in zip(shared, maps)], axis=0))
        return np.mean(by_size, axis=0)

    def correlation(self, i, size):
        """How much each superpixel of image `i` takes over from each other one at an image size, (n, n)."""
        return self.remembered(i, ('correlation', size), lambda: self.trained.correlation(
            self.features[size].fine[i], self.superpixel_maps(i)))

    def in_superpixels(self, i):
        """The pixels of image `i` that belong to a superpixel, (rows, cols) of bool."""
        return np.any([each >= 0 for each in self.superpixel_maps(i)], axis=0)


def chosen(items, places):
    return items if places is None else [items[place] for place in places]


def resized(maps, shape, resample=Image.BILINEAR):
    """Maps (classes, h, w) resized to `shape`."""
    size = int(shape[1]), int(shape[0])
    planes = [np.array(Image.fromarray(plane.astype('float32')).resize(size, resample)) for plane in maps]
    return np.reshape(planes, (len(maps),) + size[::-1])


def painted(scores, superpixel_map):
    """Scores (n, classes) of superpixels on their pixels: (classes, rows, cols), 0 where there is no superpixel."""
    return np.where(superpixel_map >= 0, scores.T[:, superpixel_map], 0)


def averaged(maps, superpixel_map):
    """The mean of maps (classes, rows, cols) in each superpixel, painted back."""
    return painted(means_in(maps, superpixel_map), superpixel_map)


def means_in(maps, superpixel_map):
    """The mean of maps (classes, rows, cols) in each superpixel, (n, classes)."""
    n, inside = superpixel_map.max() + 1, superpixel_map >= 0
    labels = superpixel_map[inside]
    sizes = np.maximum(np.bincount(labels, minlength=n), 1)
    means = [np.bincount(labels, plane[inside], n) / sizes for plane in maps]
    return np.reshape(means, (len(maps), n)).T
