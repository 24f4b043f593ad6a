"""What the compiled ops compute, against values by hand and exact sums."""
import unittest

import numpy as np
import theano
import theano.tensor as T
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.label_maps import hard_maps, random_map, regions_map
from tests.memory_layouts import layouts
from tests.numeric import assert_within_promise, exact_unpool
from theano_spp import reference, superpixel_pool, superpixel_sizes, superpixel_unpool

LABEL_DTYPES = ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64')
SPATIAL = {1: (11,), 2: (5, 7), 3: (2, 3, 5)}


def tensor(dtype, ndim):
    return T.TensorType(dtype, (False,) * ndim)()


def compile_pool(dtype='float32', label_dtype='int32', axes=2, n_superpixels=6, mode='mean'):
    features, labels = tensor(dtype, 2 + axes), tensor(label_dtype, 1 + axes)
    return theano.function([features, labels], superpixel_pool(features, labels, n_superpixels, mode))


def compile_unpool(dtype='float32', label_dtype='int32', axes=2, mode='sum'):
    pooled, labels = tensor(dtype, 3), tensor(label_dtype, 1 + axes)
    return theano.function([pooled, labels], superpixel_unpool(pooled, labels, mode))


class ValuesByHandTest(unittest.TestCase):

    features = np.array([[[[.1, .2], [.3, .4]]]])
    labels = np.array([[[0, 0], [1, 2]]])

    def test_mean_pooling_of_the_seeds_example(self):
        np.testing.assert_allclose(superpixel_pool(self.features, self.labels).eval(), [[[.15, .3, .4]]])

    def test_sum_pooling_of_the_seeds_example(self):
        np.testing.assert_allclose(superpixel_pool(self.features, self.labels, mode='sum').eval(), [[[.3, .3, .4]]])

    def test_unpooling_paints_values_on_their_pixels(self):
        pooled = np.array([[[.15, .3, .4]]])
        np.testing.assert_array_equal(superpixel_unpool(pooled, self.labels).eval(), [[[[.15, .15], [.3, .4]]]])

    def test_mean_unpooling_paints_value_over_size(self):
        pooled = np.array([[[.15, .3, .4]]])
        np.testing.assert_allclose(superpixel_unpool(pooled, self.labels, 'mean').eval(),
                                   [[[[.075, .075], [.3, .4]]]])

    def test_sizes_count_pixels(self):
        np.testing.assert_array_equal(superpixel_sizes(self.labels, 4).eval(), [[2, 1, 1, 0]])
        self.assertEqual(superpixel_sizes(self.labels).dtype, 'int64')

    def test_without_a_number_the_largest_label_of_the_batch_decides(self):
        labels = np.array([[[0, 1]], [[4, -1]]])
        self.assertEqual(superpixel_pool(np.ones((2, 3, 1, 2)), labels).eval().shape, (2, 3, 5))
        self.assertEqual(superpixel_sizes(-np.ones((1, 3), 'int8')).eval().shape, (1, 0))

    def test_negative_labels_are_ignored_and_painted_with_zero(self):
        labels = np.array([[[-1, 0], [-2 ** 63, 0]]])
        np.testing.assert_allclose(superpixel_pool(self.features, labels, 1).eval(), [[[.3]]])
        np.testing.assert_array_equal(superpixel_unpool(np.array([[[7.]]]), labels).eval(), [[[[0, 7], [0, 7]]]])

    def test_a_symbolic_number_of_superpixels_is_an_input_of_one_compiled_function(self):
        features, labels, n = tensor('float64', 4), tensor('int64', 3), T.iscalar()
        function = theano.function([features, labels, n], superpixel_pool(features, labels, n))
        for number in (3, 8, 5):
            pooled = function(self.features, self.labels, number)
            np.testing.assert_allclose(pooled, [[[.15, .3, .4] + [0] * (number - 3)]])


class ValuesTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_pooling_equals_exact_sums_for_every_hard_map(self):
        for mode in ('mean', 'sum'):
            for dtype in ('float32', 'float64'):
                function = compile_pool(dtype, mode=mode)
                for labels in hard_maps().values():
                    features = self.rng.randn(2, 3, 5, 7).astype(dtype)
                    assert_within_promise(function(features, labels), features, labels, 6, mode)

    def test_unpooling_equals_a_walk_over_the_pixels_for_every_hard_map(self):
        for mode in ('sum', 'mean'):
            for dtype in ('float32', 'float64'):
                function = compile_unpool(dtype, mode=mode)
                for labels in hard_maps().values():
                    pooled = self.rng.randn(2, 3, 6).astype(dtype)
                    np.testing.assert_allclose(function(pooled, labels), exact_unpool(pooled, labels, mode),
                                               rtol=1e-6 if dtype == 'float32' else 1e-15)

    def test_one_two_and_three_spatial_axes_pool_and_unpool(self):
        for axes, spatial in SPATIAL.items():
            labels = random_map(self.rng, (2,) + spatial, 6)
            features = self.rng.randn(2, 3, *spatial)
            assert_within_promise(compile_pool('float64', axes=axes)(features, labels), features, labels, 6, 'mean')
            pooled = self.rng.randn(2, 3, 6)
            np.testing.assert_allclose(compile_unpool('float64', axes=axes, mode='mean')(pooled, labels),
                                       exact_unpool(pooled, labels, 'mean'), rtol=1e-15)

    def test_any_number_of_channels_pools_and_unpools(self):
        # around the widths of the blocks in which the C code walks the channels
        pool, unpool = compile_pool(), compile_unpool()
        for channels in (1, 2, 7, 8, 9, 15, 16, 17, 33, 65):
            labels = random_map(self.rng, (2, 5, 7), 6)
            features = self.rng.randn(2, channels, 5, 7).astype('float32')
            assert_within_promise(pool(features, labels), features, labels, 6, 'mean')
            pooled = self.rng.randn(2, channels, 6).astype('float32')
            np.testing.assert_array_equal(unpool(pooled, labels),
                                          exact_unpool(pooled, labels, 'sum').astype('float32'))

    def test_rows_longer_than_a_strip_pool_and_unpool(self):
        labels = regions_map(self.rng, (1, 3, 2500), 6)
        features = self.rng.randn(1, 2, 3, 2500).astype('float32')
        assert_within_promise(compile_pool()(features, labels), features, labels, 6, 'mean')
        pooled = self.rng.randn(1, 2, 6).astype('float32')
        np.testing.assert_array_equal(compile_unpool()(pooled, labels), pooled[0][:, labels[0]][None])

    def test_batch_channels_space_and_superpixels_may_be_zero(self):
        pool = {n: compile_pool(n_superpixels=n, mode='sum') for n in (0, 6)}
        unpool = compile_unpool()
        for shape in ((0, 3, 5, 7), (2, 0, 5, 7), (2, 3, 0, 7), (2, 3, 5, 0), (0, 0, 0, 0), (2, 3, 5, 7)):
            for n in (0, 6):
                labels = np.full(shape[:1] + shape[2:], n - 1, 'int32')
                pooled = pool[n](np.ones(shape, 'float32'), labels)
                expected = np.zeros(shape[:2] + (n,))
                expected[..., -1:] = shape[2] * shape[3]
                np.testing.assert_array_equal(pooled, expected)
                painted = unpool(np.ones(shape[:2] + (n,), 'float32'), labels)
                np.testing.assert_array_equal(painted, np.full(shape, float(n > 0)))

    def test_float16_features_pool_with_sums_that_do_not_stick(self):
        features = np.full((1, 1, 64, 100), .1, 'float16')  # float16 sums of .1 stick at 256
        labels = np.zeros((1, 64, 100), 'int32')
        pooled = compile_pool('float16', n_superpixels=1)(features, labels)
        self.assertEqual(pooled.dtype, 'float16')
        self.assertEqual(pooled[0, 0, 0], features[0, 0, 0, 0])

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_generated_shapes_maps_and_values_pool_to_exact_sums(self, data):
        batch, channels, height, width = [data.draw(st.integers(0, most)) for most in (3, 10, 6, 80)]
        n_superpixels = data.draw(st.integers(1, 9))
        seed = data.draw(st.integers(0, 2 ** 31))
        longest_run = data.draw(st.sampled_from([1, 3, 70]))
        rng = np.random.RandomState(seed)
        labels = rng.randint(-1, n_superpixels, (batch, height, width)).astype('int32')
        labels = np.repeat(labels, longest_run, axis=2)[:, :, :width].copy()
        features = (rng.randn(batch, channels, height, width) * 10. ** rng.randint(-9, 9)).astype('float32')
        for mode in ('mean', 'sum'):
            pooled = self.symbolic(mode)(features, labels, n_superpixels)
            assert_within_promise(pooled, features, labels, n_superpixels, mode)

    _compiled = {}

    @classmethod
    def symbolic(cls, mode):
        if mode not in cls._compiled:
            features, labels, n = T.tensor4(dtype='float32'), T.itensor3(), T.lscalar()
            cls._compiled[mode] = theano.function([features, labels, n],
                                                  superpixel_pool(features, labels, n, mode))
        return cls._compiled[mode]


class LabelDtypeTest(unittest.TestCase):

    def test_every_label_dtype_is_read_as_it_is(self):
        rng = np.random.RandomState(0)
        for label_dtype in LABEL_DTYPES:
            labels = random_map(rng, (2, 5, 7), 6, dtype=label_dtype)
            features = rng.randn(2, 3, 5, 7).astype('float32')
            function = compile_pool(label_dtype=label_dtype)
            self.assertNotIn('Cast', str(function.maker.fgraph))
            assert_within_promise(function(features, labels), features, labels, 6, 'mean')
            pooled = rng.randn(2, 3, 6).astype('float32')
            np.testing.assert_array_equal(compile_unpool(label_dtype=label_dtype)(pooled, labels),
                                          exact_unpool(pooled, labels, 'sum').astype('float32'))


class NotFiniteTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = random_map(self.rng, (2, 5, 7), 6, none=0)
        self.labels[1, 2, 3] = 4

    def assert_reaches_its_own_only(self, value, expected, dtype):
        features = self.rng.randn(2, 3, 5, 7).astype(dtype)
        for mode in ('mean', 'sum'):
            function = compile_pool(dtype, mode=mode)
            clean = function(features, self.labels)
            dirty = features.copy()
            dirty[1, 2, 2, 3] = value
            pooled = function(dirty, self.labels)
            np.testing.assert_array_equal(pooled[1, 2, 4], expected)
            clean[1, 2, 4] = pooled[1, 2, 4]
            np.testing.assert_array_equal(pooled, clean)

    def test_a_nan_reaches_its_own_superpixel_and_channel_only(self):
        for dtype in ('float32', 'float64'):
            self.assert_reaches_its_own_only(np.nan, np.nan, dtype)

    def test_an_infinity_stays_an_infinity(self):
        for dtype in ('float32', 'float64'):
            self.assert_reaches_its_own_only(np.inf, np.inf, dtype)
            self.assert_reaches_its_own_only(-np.inf, -np.inf, dtype)

    def test_opposite_infinities_of_one_superpixel_give_nan(self):
        for dtype in ('float32', 'float64'):
            features = np.array([[[[np.inf, -np.inf, 1]]]], dtype)
            pooled = compile_pool(dtype)(features, np.array([[[0, 0, 1]]], 'int32'))
            np.testing.assert_array_equal(pooled[0, 0, :2], [np.nan, 1])

    def test_a_nan_is_painted_on_its_own_pixels_only_even_when_its_superpixel_is_empty(self):
        pooled = np.zeros((1, 1, 3), 'float32')
        pooled[0, 0, 1:] = np.nan
        for mode in ('sum', 'mean'):
            painted = compile_unpool(mode=mode)(pooled, np.array([[[0, 1, -1]]], 'int32'))
            np.testing.assert_array_equal(painted[0, 0, 0], [0, np.nan, 0])


class LimitsOfFloatsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.pool = {mode: compile_pool(mode=mode, n_superpixels=3) for mode in ('mean', 'sum')}

    def assert_pools(self, features, labels):
        """Equal to sums in float64, in every layout and in the reference; infinite if float32 cannot hold them."""
        with np.errstate(over='ignore', invalid='ignore'):
            sums = np.stack([np.where(labels[:, None] == k, features, 0).astype('float64').sum(axis=(2, 3))
                             for k in range(3)], axis=2)
            sizes = np.stack([(labels == k).sum(axis=(1, 2)) for k in range(3)], axis=1)[:, None]
            expected = {'sum': sums.astype('float32'), 'mean': (sums / np.maximum(sizes, 1)).astype('float32')}
            for mode in expected:
                self.assertEqual(set(np.isfinite(expected['mean'].ravel())), {True, False})  # so that both are tested
                for name, laid in layouts(features):
                    for pooled in (self.pool[mode](laid, labels), reference.pool(laid, labels, 3, mode)):
                        np.testing.assert_allclose(pooled, expected[mode], rtol=1e-6, err_msg='%s, %s' % (mode, name))

    def test_features_near_the_largest_float32_have_finite_means(self):
        pooled = self.pool['mean'](np.full((1, 1, 1, 2), 3e38, 'float32'), np.zeros((1, 1, 2), 'int32'))
        np.testing.assert_array_equal(pooled, np.float32([[[3e38, 0, 0]]]))

    def test_features_near_the_largest_float32_pool_to_exact_sums_next_to_infinities_and_nans(self):
        rng = np.random.RandomState(0)
        for labels in (np.zeros((2, 8, 64), 'int32'), random_map(rng, (2, 8, 64), 3),
                       np.repeat(np.arange(3, dtype='int32'), 24).reshape(1, 2, 36)):
            features = rng.choice(np.float32([3e38, 2e38, 1e38, -1e36]), (len(labels), 11) + labels.shape[1:])
            features[0, 2, 0, 0], features[0, 3, 0, 1], features[0, 4, -1, :2] = np.nan, -np.inf, (np.inf, -np.inf)
            self.assert_pools(features, labels)

    def test_sums_that_leave_float32_on_the_way_come_back_even_where_an_image_is_cut_into_chunks(self):
        labels = np.zeros((1, 600, 1000), 'int32')
        features = np.empty((1, 1, 600, 1000), 'float32')
        features[..., :500], features[..., 500:] = 3e38, -3e38
        features[..., 0, 0] = 0  # the rest sums to -3e38
        for mode, expected in (('sum', -3e38), ('mean', -3e38 / 600000)):
            np.testing.assert_allclose(self.pool[mode](features, labels), np.float32([[[expected, 0, 0]]]), rtol=1e-6)

    def test_zeros_of_either_sign_pool_to_the_positive_one_in_every_layout(self):
        for labels in (np.zeros((1, 1, 16), 'int32'), np.zeros((1, 8, 64), 'int32'),
                       np.array([[[0, 1, 1, 2]]], 'int32')):
            for features in (np.full((1, 9) + labels.shape[1:], -0., 'float32'),
                             np.random.RandomState(0).choice(np.float32([0, -0.]), (1, 9) + labels.shape[1:])):
                for mode in self.pool:
                    for name, laid in layouts(features):
                        for pooled in (self.pool[mode](laid, labels), reference.pool(laid, labels, 3, mode)):
                            np.testing.assert_array_equal(pooled, 0)
                            self.assertFalse(np.signbit(pooled).any(), (mode, name))


class PrecisionTest(unittest.TestCase):
    """Ten million pixels, where plain float32 sums are off by percents and plain float64 ones by 1e-10."""

    pixels = 10 ** 7

    def check(self, dtype, promise, labels, n_superpixels):
        rng = np.random.RandomState(0)
        features = (rng.uniform(size=self.pixels) + .1).astype(dtype)
        pooled = compile_pool(dtype, axes=1, n_superpixels=n_superpixels, mode='sum')(
            features[None, None], labels[None])[0, 0]
        for label in range(n_superpixels):
            # 80 bits: exact enough to judge 64
            exact = features[labels == label].astype(np.longdouble).sum()
            self.assertLess(abs(pooled[label] - exact), promise * exact)

    def test_one_superpixel(self):
        for dtype, promise in (('float32', 1e-6), ('float64', 1e-14)):
            self.check(dtype, promise, np.zeros(self.pixels, 'int32'), 1)

    def test_two_superpixels_in_turn(self):
        for dtype, promise in (('float32', 1e-6), ('float64', 1e-14)):
            self.check(dtype, promise, np.arange(self.pixels, dtype='int32') % 2, 2)

    def test_sums_that_cancel_keep_the_small_part(self):
        features = np.array([[[1e16, 1, -1e16, 1]]])
        labels = np.array([[0, 1, 0, 1]], 'int32')
        pooled = compile_pool('float64', axes=1, n_superpixels=2, mode='sum')(features, labels)
        np.testing.assert_array_equal(pooled, [[[0, 2]]])
        labels[:] = 0
        features = np.repeat([[[1e16, 1, -1e16]]], 100, axis=2)  # runs longer than a window
        labels = np.zeros((1, 300), 'int32')
        pooled = compile_pool('float64', axes=1, n_superpixels=1, mode='sum')(features, labels)
        self.assertLess(abs(pooled[0, 0, 0] - 100), 1e-14 * 2e18)


class AdjointTest(unittest.TestCase):

    def test_the_product_of_pool_x_and_y_is_that_of_x_and_unpool_y(self):
        rng = np.random.RandomState(0)
        for mode in ('mean', 'sum'):
            pool, unpool = compile_pool('float64', mode=mode), compile_unpool('float64', mode=mode)
            for labels in hard_maps().values():
                x, y = rng.randn(2, 3, 5, 7), rng.randn(2, 3, 6)
                np.testing.assert_allclose((pool(x, labels) * y).sum(), (x * unpool(y, labels)).sum(),
                                           rtol=1e-12, atol=1e-12)

    def test_pooling_what_was_unpooled_gives_it_back_where_pixels_are(self):
        rng = np.random.RandomState(0)
        pool, unpool = compile_pool('float64'), compile_unpool('float64')
        labels, y = regions_map(rng, (2, 5, 7), 6), rng.randn(2, 3, 6)
        present = np.array([[(image == label).any() for label in range(6)] for image in labels])
        np.testing.assert_allclose(pool(unpool(y, labels), labels), y * present[:, None], rtol=1e-14)
