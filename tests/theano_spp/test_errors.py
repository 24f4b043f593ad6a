"""Bad input raises an exception that names the op, the argument, what came, what is wanted and the cure."""
import re
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.processes import run_python
from theano_spp import (SuperpixelPool, SuperpixelUnpool, reference, superpixel_centroids, superpixel_pool,
                        superpixel_sizes, superpixel_unpool)

FEATURES = np.ones((2, 3, 5, 7))
LABELS = np.zeros((2, 5, 7), 'int32')


class ErrorTestCase(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))


class ArgumentErrorTest(ErrorTestCase):

    def test_features_with_too_few_or_many_axes(self):
        for shape in ((5, 7), (1, 1, 2, 2, 2, 2)):
            self.assert_says(ValueError, 'SuperpixelPool: feature_map has %d axes, but (batch, channels, *spatial)'
                             ' with 1 to 3 spatial axes is wanted' % len(shape),
                             superpixel_pool, np.ones(shape), LABELS)

    def test_a_label_map_with_a_channel_axis_or_without_a_batch(self):
        for labels in (LABELS[:, None], LABELS[0]):
            self.assert_says(ValueError, 'SuperpixelPool: superpixel_map has %d axes, but (batch, *spatial) with the 2'
                             ' spatial axes of feature_map is wanted, 3 in all' % labels.ndim,
                             superpixel_pool, FEATURES, labels, 3)
        # the cure that it gives, in NumPy and in Theano
        for labels in (LABELS[0], T.imatrix()):
            superpixel_pool(FEATURES, labels[None, ...], 3)
        self.assert_says(ValueError, 'SuperpixelUnpool: superpixel_map has 1 axes',
                         superpixel_unpool, np.ones((2, 3, 4)), LABELS[0, 0])

    def test_the_error_for_float_and_bool_labels_says_to_cast(self):
        self.assert_says(TypeError, "SuperpixelPool: superpixel_map has dtype float64, but labels are integers (labels"
                         " are whole numbers, use T.cast(superpixel_map, 'int32'))",
                         superpixel_pool, FEATURES, LABELS.astype('float64'))
        self.assert_says(TypeError, "SuperpixelUnpool: superpixel_map has dtype bool, but labels are integers (use"
                         " superpixel_map.astype('int32'))", superpixel_unpool, np.ones((2, 3, 4)), LABELS > 0)
        self.assert_says(TypeError, 'SuperpixelSizes: superpixel_map has dtype float64',
                         superpixel_sizes, LABELS.astype('float64'))

    def test_the_error_for_integer_features_says_to_cast(self):
        self.assert_says(TypeError, "SuperpixelPool: feature_map has dtype int64, but features are float16, float32 or"
                         " float64 (use feature_map.astype('float32'))",
                         superpixel_pool, FEATURES.astype('int64'), LABELS)
        self.assert_says(TypeError, 'SuperpixelUnpool: pooled has dtype int32', superpixel_unpool,
                         np.ones((2, 3, 4), 'int32'), LABELS)
        self.assert_says(TypeError, 'SuperpixelPool: feature_map has dtype complex128', superpixel_pool,
                         FEATURES.astype('complex128'), LABELS)

    def test_the_error_for_an_unknown_mode_names_the_known_ones(self):
        self.assert_says(ValueError, "SuperpixelPool: mode is 'avg', but must be 'mean', 'sum', 'max', 'min', 'var',"
                         " 'std' or 'logsumexp' (use 'mean')", superpixel_pool, FEATURES, LABELS, mode='avg')
        self.assert_says(ValueError, "SuperpixelUnpool: mode is 'average', but must be 'sum' or 'mean' (use 'mean')",
                         superpixel_unpool, np.ones((2, 3, 4)), LABELS, 'average')
        for mode in ('median', None, 1, ['mean']):
            self.assert_says(ValueError, "SuperpixelPool: mode is %r, but must be 'mean' or 'sum'" % (mode,),
                             SuperpixelPool, mode)

    def test_an_invalid_number_of_superpixels(self):
        self.assert_says(ValueError, 'SuperpixelPool: n_superpixels is -1, but must not be negative',
                         superpixel_pool, FEATURES, LABELS, -1)
        for wrong in (3., '3', True, np.array([3]), [3]):
            self.assert_says(TypeError, 'SuperpixelPool: n_superpixels is %r, but must be an integer' % (wrong,),
                             superpixel_pool, FEATURES, LABELS, wrong)
        self.assert_says(TypeError, 'SuperpixelPool: n_superpixels has dtype float64, but must be an integer',
                         superpixel_pool, FEATURES, LABELS, T.dscalar())
        self.assert_says(TypeError, 'SuperpixelSizes: n_superpixels has 1 axes, but must be an integer',
                         superpixel_sizes, LABELS, T.lvector())
        self.assert_says(ValueError, 'SuperpixelPool: n_superpixels is 9223372036854775808', superpixel_pool,
                         FEATURES, LABELS, 2 ** 63)

    def test_where_a_flag_forbids_float64_the_error_says_what_to_do(self):
        x, m, w = T.ftensor4(), T.itensor3(), T.ftensor3()
        values = np.float32([[[[1, 3]]]]), np.int32([[[0, 0]]]), np.float32([[[3, 1]]])
        for function, name, arguments, expected in (
                (superpixel_pool, 'WeightedPool', (x, m, 1, 'mean', w), [[[1.5]]]),
                (superpixel_centroids, 'superpixel_centroids', (m, 1), [[[0, .5]]])):
            with theano.configparser.change_flags(warn_float64='raise'):
                self.assert_says(ValueError, name + ': ', function, *arguments)
                self.assert_says(ValueError, " in float64 whatever the result is, but Theano's flag warn_float64 is"
                                 " 'raise' (make and compile the graph under"
                                 " theano.configparser.change_flags(warn_float64='ignore'))",
                                 function, *arguments)
                with theano.configparser.change_flags(warn_float64='ignore'):  # the cure that it gives
                    compiled = theano.function([x, m, w], function(*arguments), on_unused_input='ignore')
                np.testing.assert_array_equal(compiled(*values), expected)

    def test_numpy_integers_are_numbers_of_superpixels(self):
        for number in (np.int8(3), np.uint64(3), np.array(3)):
            self.assertEqual(superpixel_pool(FEATURES, LABELS, number).eval().shape, (2, 3, 3))


class RunTimeErrorTest(ErrorTestCase):
    """The C code and the reference raise the same errors."""

    def setUp(self):
        x, m, n, p = T.dtensor4(), T.TensorType('int64', (False,) * 3)(), T.lscalar(), T.dtensor3()
        pool = SuperpixelPool()(x, m, n)
        unpool = SuperpixelUnpool()(p, m)
        # the errors of Theano's own C code show the op's text first
        self.pools = [theano.function([x, m, n], pool, mode=mode) for mode in ('FAST_RUN', 'FAST_COMPILE')]
        self.unpools = [theano.function([p, m], unpool, mode=mode) for mode in ('FAST_RUN', 'FAST_COMPILE')]
        self.sizes = [theano.function([m, n], superpixel_sizes(m, n), mode=mode)
                      for mode in ('FAST_RUN', 'FAST_COMPILE')]

    def test_a_label_too_large_is_named_with_its_place_and_the_range(self):
        labels = LABELS.astype('int64')
        labels[1, 4, 6], labels[1, 4, 5] = 99, 64
        for pool in self.pools:
            self.assert_says(IndexError, 'SuperpixelPool: superpixel_map[1, 4, 5] is 64, but n_superpixels is 64'
                             ' (labels are 0..63; use -1 for pixels that belong to none,'
                             ' theano_spp.label_tools.relabel_sequential for ids with gaps)',
                             pool, FEATURES, labels, 64)
        for unpool in self.unpools:
            self.assert_says(IndexError, 'SuperpixelUnpool: superpixel_map[1, 4, 5] is 64, but the number of'
                             ' superpixels in pooled is 64 (labels are 0..63;', unpool, np.ones((2, 3, 64)), labels)
        for sizes in self.sizes:
            self.assert_says(IndexError, 'SuperpixelSizes: superpixel_map[1, 4, 5] is 64, but n_superpixels is 64',
                             sizes, labels, 64)

    def test_no_label_is_valid_for_no_superpixels(self):
        for pool in self.pools:
            self.assert_says(IndexError, 'SuperpixelPool: superpixel_map[0, 0, 0] is 0, but n_superpixels is 0 (no'
                             ' label is valid; use -1 for pixels that belong to none, theano_spp.label_tools.',
                             pool, FEATURES, LABELS.astype('int64'), 0)

    def test_a_negative_symbolic_number_of_superpixels(self):
        for function, arguments in [(pool, (FEATURES, LABELS.astype('int64'))) for pool in self.pools] + [
                (sizes, (LABELS.astype('int64'),)) for sizes in self.sizes]:
            self.assert_says(ValueError, 'n_superpixels is -7, but must not be negative (give the largest label + 1,'
                             ' or None to have it counted)', function, *(arguments + (-7,)))

    def test_shapes_that_do_not_agree_are_both_named(self):
        for shape in ((2, 5, 8), (2, 4, 7)):
            for pool in self.pools:
                self.assert_says(ValueError, 'SuperpixelPool: feature_map has shape (2, 3, 5, 7), but superpixel_map'
                                 ' has shape %s; (batch, channels, *spatial) and (batch, *spatial) must agree in batch'
                                 ' and spatial sizes: resize the superpixel map' % (shape,),
                                 pool, FEATURES, np.zeros(shape, 'int64'), 3)
        for unpool in self.unpools:
            self.assert_says(ValueError, 'SuperpixelUnpool: pooled has shape (3, 2, 4), but superpixel_map has shape'
                             ' (2, 5, 7); (batch, channels, n_superpixels) and (batch, *spatial) must agree in batch',
                             unpool, np.ones((3, 2, 4)), LABELS.astype('int64'))

    def test_batches_that_do_not_agree_are_told_to_have_a_map_for_each_image_or_one_for_all(self):
        one = LABELS[:1].astype('int64')
        for function, op, argument, array, layout in (
                [(lambda x, m, f=f: f(x, m, 3), 'SuperpixelPool', 'feature_map', FEATURES, '*spatial')
                 for f in self.pools] +
                [(f, 'SuperpixelUnpool', 'pooled', np.ones((2, 3, 4)), 'n_superpixels') for f in self.unpools] +
                [(lambda x, m: reference.extremum(x, m, 3), 'SuperpixelExtremum', 'feature_map', FEATURES, '*spatial'),
                 (lambda x, m: reference.overlap_pool(x, m, 3), 'SuperpixelOverlapPool', 'feature_map', FEATURES,
                  '*cells'),
                 (lambda x, m: reference.weighted_pool(x, m, 3, m + 1.), 'WeightedPool', 'feature_map', FEATURES,
                  '*spatial'),
                 (lambda x, m: reference.pixel_dot(x, np.ones((2, 3, 4)), m), 'PixelDot', 'feature_map', FEATURES,
                  '*spatial')]):
            for images, maps, cure in ((2, 3, ''), (1, 3, '; for several maps of one image repeat the image (np.repeat('
                                                    + argument + ', 3, axis=0), T.repeat for a variable)')):
                with self.assertRaises(ValueError) as caught:
                    function(array[:images], one.repeat(maps, axis=0))
                self.assertTrue(str(caught.exception).startswith(
                    '%s: %s has shape %s, but superpixel_map has shape %s; (batch, channels, %s) and (batch, *spatial)'
                    ' must agree in batch, which is %d and %d: give one superpixel map for each image, or one for all,'
                    ' (1, *spatial)%s'
                    % (op, argument, array[:images].shape, (maps, 5, 7), layout, images, maps, cure)),
                    str(caught.exception))
                self.assertEqual('np.repeat' in str(caught.exception).splitlines()[0], images == 1)
            for maps in 1, 2:  # the cures that it gives
                function(array, one.repeat(maps, axis=0))

    def test_every_dtype_at_its_limits_is_an_error_and_never_a_crash(self):
        for dtype in ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'):
            largest, smallest = np.iinfo(dtype).max, np.iinfo(dtype).min
            labels = np.zeros((1, 2, 3), dtype)
            labels[0, 1] = smallest, 0, largest
            cure = 'use -1 for' if smallest else 'for pixels that belong to none use -1 in a signed dtype'
            x, m = T.ftensor4(), T.TensorType(dtype, (False,) * 3)()
            function = theano.function([x, m], superpixel_pool(x, m, 4))
            sentence = 'superpixel_map[0, 1, 2] is %d, but n_superpixels is 4 (labels are 0..3; %s' % (largest, cure)
            self.assert_says(IndexError, sentence, function, np.ones((1, 1, 2, 3), 'float32'), labels)
            self.assert_says(IndexError, sentence, reference.pool, np.ones((1, 1, 2, 3)), labels, 4)

    def test_counting_the_largest_integers_is_an_error_and_never_a_crash(self):
        for dtype in ('int64', 'uint64'):
            labels = np.full((1, 2, 3), np.iinfo(dtype).max, dtype)
            m = T.TensorType(dtype, (False,) * 3)()
            for mode in ('FAST_RUN', 'FAST_COMPILE'):
                self.assert_says(IndexError, 'SuperpixelCount: superpixel_map[0, 0, 0] is %d, but the number of'
                                 ' superpixels can be at most 9223372036854775807' % np.iinfo(dtype).max,
                                 theano.function([m], superpixel_sizes(m), mode=mode), labels)

    def test_more_superpixels_than_memory_is_an_error_and_never_a_crash(self):
        x, m = T.dtensor4(), T.ltensor3()
        function = theano.function([x, m], superpixel_pool(x, m))
        for largest in (2 ** 50, 2 ** 60):  # more memory than any machine has, and more bytes than an integer can count
            self.assert_says(MemoryError, 'SuperpixelPool: no memory for %d superpixels (number labels that have gaps'
                             ' anew from 0 with theano_spp.label_tools.relabel_sequential)' % (largest + 1),
                             function, np.ones((1, 1, 2, 3)), np.full((1, 2, 3), largest))
            self.assert_says(MemoryError, 'SuperpixelSizes: no memory for %d superpixels' % (largest + 1),
                             theano.function([m], superpixel_sizes(m)), np.full((1, 2, 3), largest))

    def test_after_an_error_the_same_function_computes(self):
        for pool in self.pools:
            with self.assertRaises(IndexError):
                pool(FEATURES, LABELS.astype('int64') + 9, 3)
            np.testing.assert_array_equal(pool(FEATURES, LABELS.astype('int64'), 2), [[[1, 0]] * 3] * 2)


class VersionErrorTest(unittest.TestCase):

    def import_error(self, before):
        return run_python(before + '''
try:
    from theano_spp import superpixel_pool
except ImportError as error:
    print(error)
''')

    def test_for_a_theano_without_cop_the_error_names_the_version_to_install(self):
        printed = self.import_error('''
import theano_spp.legacy_bridge
import sys, types
for name in [n for n in sys.modules if n.split('.')[0] in ('theano', 'theano_spp')]:
    del sys.modules[name]
theano = types.ModuleType('theano'); theano.__version__ = '1.1.2'; theano.__path__ = []
sys.modules['theano'] = theano
''')
        self.assertIn('Theano 1.1.2', printed)
        self.assertTrue(printed.strip().endswith('pip install Theano-PyMC==1.0.9'), printed)

    def test_without_theano_the_error_names_the_version_to_install(self):
        printed = self.import_error('''
import sys
sys.modules['theano'] = None
''')
        self.assertTrue(re.search('Theano cannot be imported .*pip install Theano-PyMC==1.0.9', printed), printed)
