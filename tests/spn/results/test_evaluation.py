"""Scores of masks by hand, and the images that they are computed from."""
import unittest

import numpy as np

from spn.data import dataset
from spn.data.dataset import Dataset, Record
from spn.results.evaluation import (best_threshold, confusion, evaluate, intersection_over_union, oracle, precision,
                                    recall, summary)
from tests.spn.cases import add_superpixels, FolderTestCase

TRUTH = np.array([[0, 0, 1, 1, 255],
                  [0, 2, 1, 1, 255]], 'uint8')
PREDICTED = np.array([[0, 1, 1, 1, 3],
                      [2, 2, 0, 1, 0]], 'uint8')


class MeasuresTest(unittest.TestCase):

    def setUp(self):
        self.confusion = confusion(TRUTH, PREDICTED, 3)

    def test_pixels_are_counted_by_true_and_predicted_class_and_unknown_ones_not_at_all(self):
        self.assertEqual(self.confusion.tolist(), [[1, 1, 1, 0], [1, 3, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])

    def test_intersection_over_union_of_each_class(self):
        np.testing.assert_array_equal(intersection_over_union(self.confusion), [1 / 4, 3 / 5, 1 / 2, np.nan])
        np.testing.assert_array_equal(intersection_over_union(np.stack([self.confusion, np.eye(4)])),
                                      [[1 / 4, 3 / 5, 1 / 2, np.nan], [1, 1, 1, 1]])

    def test_a_class_that_is_only_predicted_and_one_that_is_only_there_have_0(self):
        np.testing.assert_array_equal(intersection_over_union(np.array([[5, 2, 0], [0, 0, 0], [3, 0, 0]])), [.5, 0, 0])

    def test_precision_and_recall_of_each_class(self):
        np.testing.assert_array_equal(precision(self.confusion), [1 / 2, 3 / 4, 1 / 2, np.nan])
        np.testing.assert_array_equal(recall(self.confusion), [1 / 3, 3 / 4, 1, np.nan])

    def test_means_are_over_the_classes_that_are_there_or_predicted(self):
        actual = summary(self.confusion + [[2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
        self.assertEqual(actual['classes'][:3], [3 / 6, 3 / 5, 1 / 2])
        for key, values in [('mean', actual['classes'][:3]), ('precision', [3 / 4, 3 / 4, 1 / 2]),
                            ('recall', [3 / 5, 3 / 4, 1])]:
            self.assertAlmostEqual(actual[key], sum(values) / 3, msg=key)

    def test_many_pixels_overflow_nothing(self):
        actual = confusion(np.full((1000, 300), 3, 'uint8'), np.full((1000, 300), 2, 'uint8'), 250)
        self.assertEqual((actual[3, 2], actual.sum()), (300000, 300000))


class DatasetTestCase(FolderTestCase):

    def write_masks(self, *splits_and_masks):
        """Write a data set of images with these masks (of classes 1 and 2) or None, and open it."""
        records = []
        for k, (split, mask) in enumerate(splits_and_masks):
            shape = (1, 4) if mask is None else np.shape(mask)
            shown = [0, 1] if mask is None else [int(np.any(np.equal(mask, c))) for c in (1, 2)]
            records.append(Record(str(k), np.zeros(shape + (3,), 'uint8'), np.array(shown, 'uint8'),
                                  None if mask is None else np.array(mask, 'uint8'), split))
        self.data = self.path('data.h5')
        dataset.write_dataset(self.data, ['cat', 'cup'], [lambda record=record: record for record in records],
                              len(records), (2, 5), {})
        opened = Dataset(self.data)
        self.addCleanup(opened.close)
        return opened


class EvaluateTest(DatasetTestCase):

    def setUp(self):
        super().setUp()
        self.images = self.write_masks(('train', [[1, 1, 1, 1]]), ('val', [[0, 0, 1, 1]]), ('test', [[1, 1, 1, 0]]),
                                       ('test', [[2, 2, 255, 0]]), ('test', None), ('val', None))

    def rising(self, i, classes, thresholds):
        """A method: values .2, .4, .6, .8 from left to right, of the first class asked for."""
        return [np.where(np.array([[.2, .4, .6, .8]]) >= threshold, classes[0] + 1, 0) for threshold in thresholds]

    def test_the_threshold_is_the_best_one_on_val_whatever_is_best_on_test(self):
        actual = evaluate(self.images, {'rising': self.rising}, thresholds=[.1, .3, .5, .7])['rising']
        self.assertEqual((actual['threshold'], actual['val']), (.5, 1))
        # By hand, of [1, 1, 1, 0] as [0, 0, 1, 1] and of [2, 2, ?, 0] as [0, 0, 2, 2]. The threshold .1 would have
        # given more: (0 + 3/4 + 2/3) / 3.
        self.assertEqual(actual['classes'], [0, 1 / 4, 0])
        self.assertAlmostEqual(actual['mean'], 1 / 12)
        self.assertAlmostEqual(actual['precision'], (0 + 1 / 2 + 0) / 3)
        self.assertAlmostEqual(actual['recall'], (0 + 1 / 3 + 0) / 3)
        # Classes that are neither present nor predicted do not count in an image.
        np.testing.assert_allclose(actual['images'], [(0 + 1 / 4) / 2, 0])

    def test_images_without_masks_and_those_of_train_are_not_looked_at(self):
        seen = []

        def method(i, classes, thresholds):
            seen.append(i)
            return self.rising(i, classes, thresholds)
        evaluate(self.images, {'method': method})
        self.assertEqual(sorted(seen), [1, 2, 3])

    def test_methods_are_asked_for_the_classes_of_the_label(self):
        asked = []

        def method(i, classes, thresholds):
            asked.append((i, list(classes)))
            return self.rising(i, classes, thresholds)
        evaluate(self.images, {'method': method})
        self.assertEqual(sorted(asked), [(1, [0]), (2, [0]), (3, [1])])

    def test_each_method_has_a_threshold_of_its_own(self):
        actual = evaluate(self.images, {'rising': self.rising, 'falling': lambda i, classes, thresholds: [
            mask[:, ::-1] for mask in self.rising(i, classes, thresholds)]}, thresholds=[.1, .5])
        self.assertEqual((actual['rising']['threshold'], actual['falling']['threshold']), (.5, .1))
        self.assertEqual(actual['falling']['val'], 1 / 4)  # background 0, cat 2 of 4

    def test_the_best_threshold_alone_is_found_without_a_look_at_test(self):
        seen = []

        def method(i, classes, thresholds):
            seen.append(i)
            return self.rising(i, classes, thresholds)
        threshold = best_threshold(self.images, method, .25)
        self.assertTrue(.4 < threshold <= .6)
        self.assertEqual(seen, [1])

    def test_without_masks_to_choose_by_another_threshold_is_taken(self):
        for images in (self.write_masks(('train', [[1, 1]]), ('val', None), ('test', [[1, 1]])),
                       self.write_masks(('train', [[1, 1]]))):
            self.assertEqual(best_threshold(images, self.rising, .25), .25)

    def test_a_split_without_masks_is_reported(self):
        self.assert_says([self.path('data.h5'), "no image of the split 'test' has a mask"], evaluate,
                         self.write_masks(('val', [[1, 0, 0, 0]]), ('test', None)), {'rising': self.rising})


class OracleTest(DatasetTestCase):

    def test_each_superpixel_has_the_true_class_of_most_of_its_known_pixels(self):
        images = self.write_masks(('test', [[1, 1, 2, 255, 255], [0, 2, 2, 0, 255]]))
        superpixel_map = np.array([[0, 0, 1, 1, 3], [0, 0, 1, -1, 3]])
        add_superpixels(self.data, 'few', [superpixel_map], {})
        images = Dataset(self.data)
        self.addCleanup(images.close)
        method = oracle(images, images.superpixel_maps('few'))
        actual = method(0, np.array([0, 1]), [.2, .9])
        # Two of the four pixels of superpixel 0 are class 1, the known ones of superpixel 1 are class 2.
        for mask in actual:
            self.assertEqual(mask.tolist(), [[1, 1, 2, 2, 0], [1, 1, 2, 0, 0]])
            self.assertEqual(mask.dtype, 'uint8')
