"""Training on image-level labels: checkpoints and the log, with features whose first channels show the classes."""
import contextlib
import csv
import io
import os
import shutil
import unittest
from unittest import mock

import h5py
import numpy as np

from spn.data import dataset
from spn.data.dataset import Record
from spn.errors import SpnError
from spn.networks.settings import NetworkSettings, TrainingSettings
from spn.networks.superpixel_pooling_network import SuperpixelPoolingNetwork
from spn.results.activation_maps import ActivationMaps
from spn.training import fit, image_labels
from spn.training.batches import Batches
from spn.training.fit import learning_rate_of
from spn.training.image_labels import mean_average_precision
from tests.spn.cases import add_superpixels, ArrayOfFeatures, SharedFolderTestCase, photographs
from tests.spn.training.test_batches import maps_of

from keras.models import Model  # after spn: it chooses Keras's Theano backend


def content_of(path):
    """The bytes of a text file; the arrays and attributes of an HDF5 file."""
    if not path.endswith('.h5'):
        with open(path, 'rb') as stream:
            return stream.read()
    arrays = {}
    with h5py.File(path, 'r') as file:
        file.visititems(lambda name, item: arrays.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset)
                        else None)
        return arrays, {name: str(value) for name, value in file.attrs.items()}


class NumbersTest(unittest.TestCase):

    def test_the_learning_rate_falls_at_half_of_the_epochs_and_at_80_percent(self):
        rates = [learning_rate_of(epoch, TrainingSettings(epochs=10, learning_rate=2.)) for epoch in range(10)]
        np.testing.assert_allclose(rates, [2] * 5 + [.8] * 3 + [.2] * 2)
        self.assertEqual(learning_rate_of(0, TrainingSettings(epochs=1, learning_rate=2.)), 2)

    def test_average_precision_by_hand(self):
        truth, score = np.array([[1, 0], [0, 0], [1, 1], [0, 1]]), np.array([[.9, .1], [.7, .9], [.2, .8], [.1, .7]])
        # The ranks of the hits are 1 and 3; 2 and 3.
        self.assertAlmostEqual(mean_average_precision(truth, score), ((1 / 1 + 2 / 3) / 2 + (1 / 2 + 2 / 3) / 2) / 2)
        self.assertEqual(mean_average_precision(truth, truth), 1)

    def test_images_of_one_score_rank_as_they_come(self):
        self.assertAlmostEqual(mean_average_precision(np.array([[0], [1], [1]]), np.full((3, 1), .5)),
                               (1 / 2 + 2 / 3) / 2)
        truth = np.arange(100).reshape(100, 1) % 2
        self.assertAlmostEqual(mean_average_precision(truth, np.full((100, 1), .5)), .5)
        self.assertAlmostEqual(mean_average_precision(1 - truth, np.full((100, 1), .5)),
                               np.mean([k / (2 * k - 1) for k in range(1, 51)]))

    def test_classes_that_no_image_has_do_not_count(self):
        self.assertEqual(mean_average_precision(np.array([[0, 0], [1, 0]]), np.array([[.9, .1], [.3, .2]])), .5)

    def test_the_bar_says_that_theano_compiles_and_does_not_count_that_time(self):
        seconds, shown = [0.], io.StringIO()

        def train_on_batch(*given):
            seconds[0] += 1 if seconds[0] else 90  # the first waits for Theano
            return 1.
        trained, batches = mock.MagicMock(), mock.MagicMock()
        trained.training, trained.about = TrainingSettings(epochs=2, learning_rate=1.), {'log': []}
        trained.model.metrics_names, trained.model.train_on_batch = ['loss'], train_on_batch
        batches.__len__.return_value, batches.__getitem__.return_value = 4, ('features', 'truth')
        with mock.patch('tqdm.std.time', lambda: seconds[0]), contextlib.redirect_stderr(shown), \
                mock.patch.object(fit, 'write_log'):
            fit.fit(trained, batches, 'run', dict)
        self.assertIn('training, when Theano has compiled:   0%|', shown.getvalue())
        self.assertRegex(shown.getvalue().strip().split('\r')[-1], r'^training: 100%.* 8/8 \[00:07<00:00')


class TrainingTest(SharedFolderTestCase):

    SETTINGS = NetworkSettings(channels=16, upsampling_stages=0)
    TRAINING = TrainingSettings(epochs=4, batch_size=4, learning_rate=.003, map_size=16)

    @classmethod
    def make_shared(cls):
        rng = np.random.RandomState(0)
        labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 4, 'uint8')
        splits = ['train'] * 10 + ['val'] * 4 + ['test'] * 2
        cat = photographs()[1]
        records = [Record(str(i), cat[i:i + 6, i:i + 16], labels[i], None, splits[i]) for i in range(16)]
        cls.data = os.path.join(cls.shared, 'data.h5')
        dataset.write_dataset(cls.data, ['cat', 'cup'], [lambda record=record: record for record in records], 16,
                              (6, 16), {})
        for name in 'columns', 'more':
            add_superpixels(cls.data, name, maps_of(16), {'by': name})
        cls.features = []
        for side in 2, 3:
            features = np.maximum(rng.normal(size=(16, 512, side, side)), 0) * .02
            features[:, :60] += labels.repeat(30, axis=1)[:, :, np.newaxis, np.newaxis]
            cls.features.append(ArrayOfFeatures(features, 16 * side, float(np.sqrt(np.mean(features ** 2)))))
        cls.whole = os.path.join(cls.shared, 'whole')
        cls.trained = cls.train(cls.whole)

    @classmethod
    def train(cls, folder, seed=5, **how):
        return image_labels.train(cls.data, folder, cls.features, ['columns', 'more'], 'random', cls.SETTINGS,
                              cls.TRAINING._replace(**how), seed)

    def rows(self, folder):
        with open(os.path.join(folder, 'log.csv'), newline='') as stream:
            return list(csv.DictReader(stream))

    def test_training_lowers_the_loss_and_finds_the_classes(self):
        log = self.trained.about['log']
        self.assertLess(log[-1]['loss'], .5 * log[0]['loss'])
        self.assertGreater(log[-1]['val_gap_precision'], .99)
        self.assertGreater(log[-1]['val_superpixel_precision'], .99)

    def test_the_log_has_a_row_for_each_epoch_and_all_files_are_there(self):
        self.assertEqual(sorted(os.listdir(self.whole)), ['checkpoint.h5', 'curves.png', 'log.csv', 'model.h5'])
        rows = self.rows(self.whole)
        self.assertEqual([row['epoch'] for row in rows], ['1', '2', '3', '4'])
        self.assertEqual(set(rows[0]), {'epoch', 'loss', 'gap_loss', 'superpixel_loss', 'val_gap_precision',
                                        'val_superpixel_precision'})
        for row, logged in zip(rows, self.trained.about['log']):
            self.assertEqual({name: float(value) for name, value in row.items()}, logged)
            # Both branches count the same; the rest is the penalty of large weights.
            self.assertLess(0, float(row['loss']) - float(row['gap_loss']) - float(row['superpixel_loss']))
            self.assertAlmostEqual(float(row['loss']), float(row['gap_loss']) + float(row['superpixel_loss']),
                                   delta=.01)

    def test_the_model_file_says_how_it_was_made(self):
        about = SuperpixelPoolingNetwork.load(os.path.join(self.whole, 'model.h5')).about
        self.assertEqual(about, self.trained.about)
        self.assertEqual(about['class_names'], ['cat', 'cup'])
        self.assertEqual(about['superpixel_names'], ['columns', 'more'])
        self.assertEqual(about['superpixels'], [{'by': 'columns'}, {'by': 'more'}])
        self.assertEqual((about['seed'], about['sizes'], about['encoder'], about['weights']),
                         (5, [32, 48], 'by hand', 'random'))
        self.assertAlmostEqual(about['rms'], np.mean([features.rms for features in self.features]))

    def test_a_network_without_a_branch_or_without_correlation_is_trained_on_what_it_has(self):
        for changed, outputs, n_inputs in [({'gap_branch': False}, ['superpixel'], 3),
                                           ({'superpixel_branch': False}, ['gap'], 2),
                                           ({'correlation': False}, ['gap', 'superpixel'], 2)]:
            with mock.patch.object(TrainingTest, 'SETTINGS', self.SETTINGS._replace(**changed)):
                trained = self.train(self.path(*changed), epochs=1)
            self.assertEqual((trained.model.output_names, len(trained.model.inputs)), (outputs, n_inputs))
            row, = trained.about['log']
            self.assertEqual({name for name in row if name.startswith('val')},
                             {'val_{}_precision'.format(name) for name in outputs})
            maps = ActivationMaps(trained, self.features, [maps_of(16)], np.array([[6, 16]] * 16))
            probabilities = maps.probabilities(3)
            self.assertTrue(probabilities.shape == (2,) and np.all((0 < probabilities) & (probabilities < 1)))

    def test_the_last_epochs_have_the_last_learning_rate(self):
        self.assertAlmostEqual(float(self.trained.model.optimizer.lr.get_value()), .003 * .4,
                               places=7)  # 3 / 4 of 4 epochs

    def test_a_run_that_was_stopped_ends_as_one_that_was_not(self):
        read, batches = [], Batches.__getitem__

        def stopped(self, k):
            read.append(k)
            if len(read) == 5:  # in the second epoch; the first has three batches and one of 'val'
                raise KeyboardInterrupt
            return batches(self, k)
        with mock.patch.object(Batches, '__getitem__', stopped):
            with self.assertRaises(KeyboardInterrupt):
                self.train(self.folder)
        self.assertEqual(self.files(), ['checkpoint.h5', 'curves.png', 'log.csv'])
        self.assertEqual(len(self.rows(self.folder)), 1)
        epochs, start = [], Batches.start_epoch
        with mock.patch.object(Batches, 'start_epoch', lambda self, epoch: epochs.append(epoch) or start(self, epoch)):
            resumed = self.train(self.folder)
        # Two sets of batches are made; then each epoch of training is followed by one over 'val'.
        self.assertEqual(epochs, [0, 0] + [1, 0] + [2, 0] + [3, 0])
        self.assert_same_weights(resumed.model, self.trained.model)
        self.assertEqual(resumed.about, self.trained.about)
        self.assertEqual(self.rows(self.folder), self.rows(self.whole))

    def test_a_run_that_was_killed_before_its_log_was_written_has_it_in_the_end(self):
        for last in 2, 4:  # after the checkpoint of an epoch in between, and of the last
            folder, written = self.path('until-{}'.format(last)), []

            def killed(log, folder):
                written.append(len(log))
                if len(log) == last:
                    raise KeyboardInterrupt
                write_log(log, folder)
            write_log = fit.write_log
            with mock.patch.object(fit, 'write_log', killed):
                with self.assertRaises(KeyboardInterrupt):
                    self.train(folder)
            self.assertEqual(len(self.rows(folder)), last - 1)
            self.train(folder)
            for name in 'log.csv', 'model.h5':
                self.assertEqual(content_of(os.path.join(folder, name)), content_of(os.path.join(self.whole, name)),
                                 name)

    def test_a_finished_run_has_its_log_again(self):
        shutil.copy(os.path.join(self.whole, 'model.h5'), self.folder)
        self.train(self.folder)
        self.assertEqual(content_of(self.path('log.csv')), content_of(os.path.join(self.whole, 'log.csv')))

    def test_training_that_diverges_stops_and_says_so(self):
        losses, train_on_batch = [], Model.train_on_batch

        def diverging(model, *given):
            losses.append(train_on_batch(model, *given))
            return losses[-1] if len(losses) <= 3 else [np.nan] * len(losses[-1])  # from the second epoch on
        with mock.patch.object(Model, 'train_on_batch', diverging):
            self.assert_says([self.folder, 'the loss is nan in epoch 2', 'at a smaller learning rate than 0.003',
                              '--learning-rate 0.0003, into another folder, or remove ' + self.path('checkpoint.h5')],
                             self.train, self.folder)
        self.assertEqual(len(losses), 4)
        self.assertEqual(self.files(), ['checkpoint.h5', 'curves.png', 'log.csv'])

    def test_weights_that_the_last_batch_of_an_epoch_spoiled_are_not_kept(self):
        calls, train_on_batch = [], Model.train_on_batch

        def spoiling(model, *given):
            losses = train_on_batch(model, *given)
            calls.append(given)
            if len(calls) == 3:  # of an epoch of three: the loss is of the weights before
                layer = model.get_layer('extra_conv')
                layer.set_weights([np.full_like(each, np.inf) for each in layer.get_weights()])
            return losses
        with mock.patch.object(Model, 'train_on_batch', spoiling):
            with self.assertRaises(SpnError) as caught:
                self.train(self.folder)
        self.assertRegex(str(caught.exception), 'weights are not finite in epoch 1, .* --learning-rate 0.0003$')
        self.assertEqual(self.files(), [])  # so that the same folder serves the smaller rate

    def test_what_is_finished_is_not_trained_again(self):
        with mock.patch.object(Batches, '__getitem__', side_effect=AssertionError):
            again = self.train(self.whole)
        self.assertEqual(again.about, self.trained.about)

    def test_a_checkpoint_of_other_settings_is_reported_and_left_alone(self):
        shutil.copy(os.path.join(self.whole, 'checkpoint.h5'), self.folder)
        with open(self.path('checkpoint.h5'), 'rb') as stream:
            before = stream.read()
        for changed, words in [({'seed': 6}, 'seed: 5 there, 6 asked for'), ({'epochs': 5}, "'epochs': 4")]:
            self.assert_says([self.path('checkpoint.h5'), 'is of another training', words],
                             self.train, self.folder, **changed)
        self.assertEqual(self.files(), ['checkpoint.h5'])
        with open(self.path('checkpoint.h5'), 'rb') as stream:
            self.assertEqual(stream.read(), before)

    def test_a_folder_of_another_training_is_reported_before_anything_is_computed(self):
        def check(seed=5, sizes=(32, 48), epochs=4):
            image_labels.check_folder(self.data, self.folder, ['columns', 'more'], list(sizes), 'random', self.SETTINGS,
                                      self.TRAINING._replace(epochs=epochs), seed)
        check(seed=6)
        for name in 'checkpoint.h5', 'model.h5':
            shutil.copy(os.path.join(self.whole, name), self.folder)
            check()
            for changed, words in [({'seed': 6}, 'seed: 5 there, 6 asked for'), ({'epochs': 5}, "'epochs': 4"),
                                   ({'sizes': [32]}, 'sizes: [32, 48] there, [32] asked for')]:
                self.assert_says([self.path(name), 'is of another training', words], check, **changed)

    def test_a_class_that_no_training_image_has_is_reported(self):
        record = Record('0', photographs()[0], np.array([1, 0], 'uint8'), None, 'train')
        path = self.path('data.h5')
        dataset.write_dataset(path, ['cat', 'cup'], [lambda: record, lambda: record._replace(
            labels=np.array([0, 1], 'uint8'), split='val')], 2, (64, 80), {})
        add_superpixels(path, 'columns', [np.zeros((64, 80), int)] * 2, {})
        self.assert_says([path, 'no image of the split "train" is labelled \'cup\'', 'cannot be learned'],
                         image_labels.train,
                         path, self.path('run'), self.features, ['columns'], 'random', self.SETTINGS, self.TRAINING, 0)
