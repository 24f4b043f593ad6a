"""Calls every op with generated inputs and compares the results with an independent truth.

    make fuzz SECONDS=60                    # new cases until the time is up
    python -m tests.fuzz --case 1234        # one case again: everything in it follows from its number
    python -m tests.fuzz --digest 300       # one digest of all results of the first 300 cases, to compare two versions

With ``--shared`` the same cases have one superpixel map for all images, and every other one also one image of weights.

The sizes lie around those at which the C code takes another way: 8 lanes, windows of 16 pixels, blocks of 64, images
cut into chunks, results larger than the caches.
"""
import argparse
import hashlib
import random
import sys
import time

import numpy as np

from tests import environment
from tests.memory_layouts import layouts
from tests.numeric import cells_of_pixel, tolerance

MODES = 'mean', 'sum', 'max', 'min'
LINEAR = 'mean', 'sum'
RESIZES = 'nearest', 'bilinear'


class Case:
    """Inputs for every op, determined by the number.

    Parameters
    ----------
    number : int
    dtype, label_dtype : str
    shared : bool
        Whether all images have the superpixel map, and in cases with an odd number the weights, of the first.

    Attributes
    ----------
    features, on_pixels : numpy.ndarray, shape (batch, channels, rows, cols)
    cells : numpy.ndarray, shape (batch, channels, cell rows, cell cols)
        Features of another size than the map.
    labels, weights : numpy.ndarray, shape (batch, rows, cols) or (1, rows, cols)
    n : int
        The number of superpixels.
    on_superpixels : numpy.ndarray, shape (batch, channels, n)
    grid : numpy.ndarray of two integers
        Of soft superpixels.
    association : numpy.ndarray, shape (batch, 9, rows, cols)
    on_grid : numpy.ndarray, shape (batch, channels, number of grid cells)
    """

    def __init__(self, number, dtype='float32', label_dtype='int32', shared=False):
        self.dtype = dtype
        self.rng = rng = np.random.RandomState(number)
        shape = self.shape()
        self.n = int(rng.choice([1, 2, 9, 17, 300]))
        labels = self.label_map((shape[0],) + shape[2:])
        self.labels = np.maximum(labels, np.iinfo(label_dtype).min).astype(label_dtype)
        self.weights = rng.choice([0, .5, 1, 3], self.labels.shape) * rng.choice([-1, 1e-3, 1])
        self.features, self.on_pixels = self.values(shape), self.values(shape)
        cells = tuple(rng.randint(1, 6, 2)) if rng.randint(2) else (max(shape[2] // 8, 1), max(shape[3] // 8, 1))
        self.cells = self.values(shape[:2] + cells)
        self.on_superpixels = self.values(shape[:2] + (self.n,))
        self.grid = np.array([rng.choice([1, 2, 5, max(size // 8, 1), size + 1]) for size in shape[2:]])
        self.association = self.values((shape[0], 9) + shape[2:])
        self.on_grid = self.values(shape[:2] + (int(np.prod(self.grid)),))
        if shared and shape[0]:
            self.labels = self.labels[:1]
            self.weights = self.weights[:1] if number % 2 else self.weights

    def shape(self):
        rng = self.rng
        shape = [rng.randint(1, 4)] + [max(rng.choice(sizes) + rng.randint(-1, 2), 1) for sizes in (
            (1, 3, 8, 16, 64), (1, 3, 8), (5, 16, 33, 64, 130))]
        kind = rng.randint(40)
        if kind == 0:  # several chunks of an image
            shape = [1, rng.randint(1, 4), 700, 1000 + rng.randint(48)]
        elif kind == 1:
            shape[rng.randint(4)] = 0
        return tuple(int(size) for size in shape)

    def label_map(self, shape):
        """Runs of one length or of many; some pixels belong to no superpixel."""
        rng, pixels = self.rng, shape[1] * shape[2]
        run = rng.choice([1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 0])
        labels = np.empty((shape[0], pixels), 'int64')
        for image in labels:
            lengths = np.full(pixels // run + 2, run) if run else rng.randint(1, 40, pixels + 2)
            image[...] = rng.randint(-1, self.n, len(lengths)).repeat(lengths)[rng.randint(3):][:pixels]
        if rng.randint(6) == 0:
            labels[...] = self.n - 1
        return labels.reshape(shape)

    def values(self, shape):
        """Random values, ties, ramps (each run's first or last pixel is the largest) or zeros of both signs.

        In one of four there are NaNs, infinities or magnitudes whose sums leave float32.
        """
        rng, kind = self.rng, self.rng.randint(6)
        if kind == 0:
            values = rng.randint(-2, 3, shape).astype(self.dtype)
        elif kind == 1:
            pixels = int(np.prod(shape[2:]))
            ramp = rng.choice([-1, 1]) * np.arange(pixels).reshape(shape[2:])
            values = np.broadcast_to(ramp, shape).astype(self.dtype)
        elif kind == 2:
            values = rng.choice(np.array([0., -0.], self.dtype), shape)
        else:
            values = (rng.standard_normal(shape) * rng.choice([1e-30, 1, 1e25])).astype(self.dtype)
        if rng.randint(4) == 0:
            values[rng.uniform(size=shape) < .02] = rng.choice([np.nan, np.inf, -np.inf, 3e38])
        if values.ndim == 3 or values.size > 1e6:
            return values
        named = dict(layouts(values))
        names = sorted(named) if rng.randint(3) == 0 else ['C order', 'channels last']
        return named[names[rng.randint(len(names))]]


class Ops:
    """Every op and its gradient in one function, for one dtype of features and one of labels."""

    def __init__(self, dtype='float32', label_dtype='int32'):
        import theano_spp as spp  # first: Theano may need what it puts back
        import theano
        import theano.tensor as T
        x, cells, g, a = [T.TensorType(dtype, (False,) * 4)() for _ in range(4)]
        y, z = [T.TensorType(dtype, (False,) * 3)() for _ in range(2)]
        m, w, n, grid = T.TensorType(label_dtype, (False,) * 3)(), T.dtensor3(), T.lscalar(), T.lvector()

        def with_gradients(name, result, given, *inputs):
            gradients = T.grad(None, inputs, known_grads={result: given})
            return [(name, result)] + [(name + ' gradient %d' % k, gradient) for k, gradient in enumerate(gradients)]

        results = [('sizes', spp.superpixel_sizes(m, n)), ('count', spp.superpixel_sizes(m).shape[1])]
        for mode in MODES:
            results += with_gradients(mode, spp.superpixel_pool(x, m, n, mode), y, x)
            for kind in RESIZES:
                results += with_gradients('%s %s' % (mode, kind),
                                          spp.superpixel_pool(cells, m, n, mode, resize=kind), y, cells)
        for mode in LINEAR:
            results += with_gradients('unpool ' + mode, spp.superpixel_unpool(y, m, mode), g, y)
            results += with_gradients('weighted ' + mode, spp.superpixel_pool(x, m, n, mode, w), y, x, w)
            results += [('overlap %s %s' % (mode, kind), spp.superpixel_overlap(m, n, cells.shape[2:], kind, mode))
                        for kind in RESIZES]
        results += with_gradients('soft', spp.soft_superpixel_pool(x, a, grid, 'sum'), z, x, a)
        self.names = [name for name, _ in results]
        self.function = theano.function([x, cells, g, y, m, w, n, a, z, grid], [result for _, result in results])

    def __call__(self, case):
        """Return the results of a case: name -> numpy.ndarray."""
        return dict(zip(self.names, self.function(
            case.features, case.cells, case.on_pixels, case.on_superpixels, case.labels, case.weights, case.n,
            case.association, case.on_grid, case.grid)))


class Truth:
    """The same operations in NumPy's long doubles, on pixels in one axis: features are (batch, channels, pixels).

    Labels are those of each image.
    """

    def __init__(self, labels, n):
        self.n, self.spatial = n, labels.shape[1:]
        self.labels = labels.reshape(len(labels), int(np.prod(self.spatial))).astype('int64')
        self.sizes = np.array([np.bincount(image[image >= 0], minlength=n) for image in self.labels]).reshape(-1, n)

    def pool(self, features, mode):
        sums = np.zeros(features.shape[:2] + (self.n,), 'longdouble')
        for image, labels, values in zip(features, self.labels, sums):
            order = np.argsort(labels, kind='mergesort')
            order = order[labels[order] >= 0]
            present, starts = np.unique(labels[order], return_index=True)
            if len(order) and len(image):
                values[:, present] = np.add.reduceat(image[:, order].astype('longdouble'), starts, axis=1)
        return sums / np.maximum(self.sizes, 1)[:, None] if mode == 'mean' else sums

    def unpool(self, pooled, mode):
        values = pooled.astype('longdouble') / (np.maximum(self.sizes, 1)[:, None] if mode == 'mean' else 1)
        painted = np.zeros(pooled.shape[:2] + self.labels.shape[1:], 'longdouble')
        for image, labels, value in zip(painted, self.labels, values):
            image[:, labels >= 0] = value[:, labels[labels >= 0]]
        return painted

    def extremum(self, features, mode):
        """The value, and the number of the first pixel that has it: -1 for none."""
        first = {'max': np.argmax, 'min': np.argmin}[mode]  # of NaNs too
        pooled = np.zeros(features.shape[:2] + (self.n,), features.dtype)
        pixel = np.full(pooled.shape, -1)
        for image, labels, values, numbers in zip(features, self.labels, pooled, pixel):
            for label in np.unique(labels[labels >= 0]) if len(image) else ():
                members = np.flatnonzero(labels == label)
                numbers[:, label] = members[first(image[:, members], axis=1)]
                values[:, label] = image[np.arange(len(image)), numbers[:, label]]
        return pooled, pixel

    def resize(self, cells, kind):
        for axis, pixels in enumerate(self.spatial, 2):
            low, high, share = corners(cells.shape[axis], pixels, kind)
            share = share.reshape((-1,) + (1,) * (cells.ndim - 1 - axis))
            upper = np.where(share > 0, cells.take(high, axis).astype('longdouble') * share, 0)
            cells = cells.take(low, axis) * (1 - share) + upper
        return flat(cells)

    def resize_adjoint(self, features, cells_shape, kind):
        image = features.reshape(features.shape[:2] + self.spatial)
        for axis, cells in enumerate(cells_shape, 2):
            low, high, share = corners(cells, image.shape[axis], kind)
            along = np.moveaxis(image, axis, 0)
            share = share.reshape((-1,) + (1,) * (along.ndim - 1))
            summed = np.zeros((cells,) + along.shape[1:], 'longdouble')
            np.add.at(summed, low, along * (1 - share))
            np.add.at(summed, high, np.where(share > 0, along * share, 0))
            image = np.moveaxis(summed, 0, axis)
        return flat(image)


def corners(cells, pixels, kind):
    """The two cells that each pixel of an axis lies between, and the fraction of the second."""
    seen = [cells_of_pixel(cells, pixels, pixel, kind) for pixel in range(pixels)]
    return (np.array([pixel[0][0] for pixel in seen], int), np.array([pixel[-1][0] for pixel in seen], int),
            np.array([pixel[-1][1] if len(pixel) > 1 else 0 for pixel in seen], 'longdouble'))


def flat(array):
    return array.reshape(array.shape[:2] + (int(np.prod(array.shape[2:])),))


def assert_close(results, name, exact, magnitudes, dtype):
    """The promise of docs/semantics.md: the error is at most a fraction of the sum of magnitudes."""
    actual = results[name].astype('longdouble')
    exact, magnitudes = [np.reshape(array, actual.shape).astype('longdouble') for array in (exact, magnitudes)]
    expected = exact.astype(dtype)
    good = (actual == expected) | np.isnan(actual) & np.isnan(expected)
    good |= abs(actual - exact) <= tolerance(dtype) * magnitudes + np.finfo(dtype).tiny
    good |= ~np.isfinite(magnitudes.astype(dtype)) & ~np.isfinite(actual)  # inf or NaN: which one is not promised
    assert good.all(), '%s at %s: %r, but %r was expected' % (
        name, np.argwhere(~good)[0].tolist(), results[name][~good][0], expected[~good][0])


def assert_equal(results, name, exact):
    np.testing.assert_array_equal(results[name].reshape(exact.shape), exact, name)


def check(case, results):
    """Raise AssertionError for the first result that is not what it must be."""
    labels, weights = [np.repeat(array, len(case.features), axis=0) if len(array) == 1 else array
                       for array in (case.labels, case.weights)]
    truth, dtype = Truth(labels, case.n), case.dtype
    x, g, y, w = flat(case.features), flat(case.on_pixels), case.on_superpixels, flat(weights[:, None])
    cells_shape = case.cells.shape[2:]
    with np.errstate(all='ignore'):
        assert_equal(results, 'sizes', truth.sizes[:len(case.labels)])
        assert results['count'] == (max(int(case.labels.max()) + 1, 0) if case.labels.size else 0), 'count'
        for mode in LINEAR:
            assert_close(results, mode, truth.pool(x, mode), truth.pool(abs(x), mode), dtype)
            painted = truth.unpool(y, mode)
            for name in mode + ' gradient 0', 'unpool ' + mode:
                assert_close(results, name, painted, abs(painted), dtype)
            assert_close(results, 'unpool %s gradient 0' % mode, truth.pool(g, mode), truth.pool(abs(g), mode), dtype)
            check_weighted(truth, results, mode, x, w, y, dtype, len(case.weights))
            for kind in RESIZES:
                resized, name = truth.resize(case.cells, kind), mode + ' ' + kind
                magnitudes = truth.pool(truth.resize(abs(case.cells), kind), mode)
                assert_close(results, name, truth.pool(resized, mode), magnitudes, dtype)
                assert_close(results, name + ' gradient 0', truth.resize_adjoint(painted, cells_shape, kind),
                             truth.resize_adjoint(abs(painted), cells_shape, kind), dtype)
                if np.isfinite(case.cells).all() and case.n < 20:
                    overlap = results['overlap ' + name].astype('longdouble')
                    overlap = np.broadcast_to(overlap, (len(case.cells),) + overlap.shape[1:])
                    product = np.einsum('bnyx,bcyx->bcn', overlap, case.cells.astype('longdouble'))
                    assert_close({name: product}, name, truth.pool(resized, mode), magnitudes, 'float32')
        check_soft(case, results)
        for mode in 'max', 'min':
            pooled, pixel = truth.extremum(x, mode)
            assert_equal(results, mode, pooled)
            painted = np.zeros(x.shape, dtype)
            b, c, k = np.nonzero(pixel >= 0)
            painted[b, c, pixel[b, c, k]] = y[b, c, k]
            assert_equal(results, mode + ' gradient 0', painted)
            for kind in RESIZES:
                resized = truth.resize(case.cells, kind)
                pooled, _ = truth.extremum(resized.astype(dtype), mode)
                magnitudes = truth.extremum(truth.resize(abs(case.cells), kind), 'max')[0]
                if np.isfinite(resized.astype(dtype)).all():  # a share that is rounded to 0 makes an infinity a NaN
                    assert_close(results, '%s %s' % (mode, kind), pooled, magnitudes, dtype)
                given = np.where(truth.sizes[:, None] > 0, y, 0).astype('longdouble')
                name = '%s %s gradient 0' % (mode, kind)
                total = flat(results[name]).sum(-1, 'longdouble')
                assert_close({name: total}, name, given.sum(-1), 9 * abs(given).sum(-1), dtype)


def check_soft(case, results):
    """The sums of a x, and their derivatives: each neighbour's weights with a label map of its own."""
    x, a, y = flat(case.features), flat(case.association).astype('longdouble'), case.on_grid
    cells = [np.arange(pixels) * size // pixels for pixels, size in zip(case.features.shape[2:], case.grid)]
    exact, larger = [{'soft': 0, 'soft gradient 0': 0, 'soft gradient 1': np.zeros(a.shape, 'longdouble')}
                     for _ in range(2)]
    for k in range(9):
        rows, columns = cells[0][:, None] + k // 3 - 1, cells[1][None] + k % 3 - 1
        inside = (rows >= 0) & (rows < case.grid[0]) & (columns >= 0) & (columns < case.grid[1])
        labels = np.where(inside, rows * case.grid[1] + columns, -1)[None].repeat(len(x), axis=0)
        truth, inside, weights = Truth(labels, y.shape[2]), inside.reshape(1, 1, -1), a[:, k:k + 1]
        for total, array, weight, values in (exact, x, weights, y), (larger, abs(x), abs(weights), abs(y)):
            painted = truth.unpool(values, 'sum')
            total['soft'] = total['soft'] + truth.pool(weight * array, 'sum')
            total['soft gradient 0'] = total['soft gradient 0'] + np.where(inside, weight * painted, 0)
            total['soft gradient 1'][:, k] = np.where(inside[:, 0], (array * painted).sum(1), 0)
    for name in exact:
        assert_close(results, name, exact[name], larger[name], case.dtype)


def check_weighted(truth, results, mode, x, w, y, dtype, images_of_weights):
    """(sum of w x) / t for each superpixel, where t is 1 or the sum of w, and its derivatives."""
    total = truth.pool(w, 'sum') if mode == 'mean' else np.ones((len(w), 1, truth.n))
    nothing = total == 0
    x, y = x.astype('longdouble'), np.where(nothing, 0, y.astype('longdouble') / np.where(nothing, 1, total))
    pooled = np.where(nothing, 0, truth.pool(w * x, 'sum') / np.where(nothing, 1, total))
    magnitudes = truth.pool(abs(w * x), 'sum') / np.where(nothing, 1, abs(total))
    assert_close(results, 'weighted ' + mode, pooled, magnitudes, dtype)
    of_superpixel, inside = truth.unpool(y, 'sum'), truth.labels[:, None] >= 0
    of_features = np.where(inside, w * of_superpixel, 0)
    assert_close(results, 'weighted %s gradient 0' % mode, of_features, abs(of_features), dtype)
    centre = truth.unpool(pooled, 'sum') if mode == 'mean' else 0
    if all(np.isfinite(array).all() for array in (x, y, pooled)):
        of_weights = np.where(inside, (x - centre) * of_superpixel, 0).sum(1)
        larger = np.where(inside, (abs(x) + abs(centre)) * abs(of_superpixel), 0).sum(1)
        if images_of_weights < len(w):
            of_weights, larger = of_weights.sum(0), larger.sum(0)
        assert_close(results, 'weighted %s gradient 1' % mode, of_weights, larger, 'float64')


def digest(case_results):
    """A digest of the results of many cases, bit for bit; all NaNs are one."""
    total = hashlib.sha256()
    for results in case_results:
        for name in sorted(results):
            value = np.array(results[name], order='C')
            value[value != value] = 0 if value.dtype.kind != 'f' else np.nan
            total.update(repr((name, value.shape, value.dtype.str)).encode() + value.tobytes())
    return total.hexdigest()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seconds', type=float, default=60, help='how long to try new cases')
    parser.add_argument('--case', type=int, help='try only this case')
    parser.add_argument('--digest', type=int, metavar='CASES', help='print a digest of the results of the first cases')
    parser.add_argument('--dtype', default='float32', help='of the features')
    parser.add_argument('--labels', default='int32', metavar='DTYPE')
    parser.add_argument('--shared', action='store_true', help='one superpixel map for all images')
    options = parser.parse_args(arguments)
    environment.prepare()
    ops = Ops(options.dtype, options.labels)
    if options.digest is not None:
        print(digest(ops(Case(number, options.dtype, options.labels, options.shared))
                     for number in range(options.digest)))
        return 0
    first = random.SystemRandom().randrange(2 ** 31) if options.case is None else options.case
    end, tried = time.time() + options.seconds, 0
    while tried == 0 or options.case is None and time.time() < end:
        shared = options.shared or options.case is None and tried % 4 == 3
        case = Case((first + tried) % 2 ** 32, options.dtype, options.labels, shared)
        try:
            check(case, ops(case))
        except AssertionError as error:
            print(error)
            print('Again: python -m tests.fuzz --case %d --dtype %s --labels %s%s' % (
                (first + tried) % 2 ** 32, options.dtype, options.labels, ' --shared' if shared else ''))
            return 1
        tried += 1
    print('%d cases from number %d on, none wrong.' % (tried, first))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
