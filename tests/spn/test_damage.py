"""Files whose bits flip on disk: what is read is correct, or an error names the file and the cure."""
import os
import shutil

import h5py
import numpy as np

from spn.data import superpixel_maps
from spn.data.dataset import Dataset
from spn.errors import SpnError
from spn.hdf5 import text
from spn.networks import features
from spn.parts import Parts
from tests.processes import run_python
from tests.spn.cases import FolderTestCase, add_superpixels, records, write_small
from tests.spn.networks.test_encoder import EncoderByHand


def data_set_of(path):
    """All values in a data set file."""
    with Dataset(path) as data:
        arrays = [data.labels, data.sizes, data.names, data.splits, data.has_mask, data.digests,
                 np.array(data.class_names)]
        arrays += [np.array([data.fingerprint, data.mask_fingerprint, str(data.made_by)])]
        return arrays + [each for i in range(len(data)) for each in (data.image(i), data.mask(i))]


def part_of(path):
    """All values in a part of any kind."""
    kind = {'spn features 5': features.KIND, 'spn superpixels 1': superpixel_maps.KIND}
    with h5py.File('whole.h5', 'r') as file:
        kind = kind[text(file.attrs['layout'])]
        columns, arrays, keys = list(file['columns']), list(file['arrays']), [text(key) for key in file['keys']]
    parts = Parts(os.path.dirname(path), kind)
    try:
        return [parts.column(name, keys) for name in columns] + [
            parts.array(name, key) for name in arrays for key in keys]
    finally:
        parts.close()


def equal(actual, wanted):
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in zip(actual, wanted))


DAMAGED = os.path.join('damaged', '000000.h5')


def flipped(path, read, n, seed=0):
    """The outcome for `n` copies of a file with some bytes flipped: 'said' (an error), 'same', or what went wrong."""
    shutil.copy(path, 'whole.h5')
    wanted, rng, outcomes = read(path), np.random.RandomState(seed), []
    os.makedirs('damaged')
    with open(path, 'rb') as stream:
        content = np.frombuffer(stream.read(), 'uint8')
    for k in range(n):
        damaged = content.copy()
        places = rng.randint(len(content), size=1 + k % 5)
        damaged[places] ^= rng.randint(1, 256, size=len(places)).astype('uint8')
        with open(DAMAGED, 'wb') as stream:
            stream.write(damaged.tobytes())
        try:
            outcomes.append('same' if equal(read(DAMAGED), wanted) else 'other values, without a word')
        except SpnError as error:
            cure = DAMAGED in str(error) and 'make it again with `spn' in str(error)
            outcomes.append('said' if cure else 'no cure: {}'.format(error))
        except Exception as error:
            outcomes.append(repr(error))
    return outcomes


class DamageTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data)
        add_superpixels(self.data, 'columns', [np.arange(cols) // 9 * np.ones((rows, 1), int) for rows, cols in
                                               (record.image.shape[:2] for record in records())], {'method': 'by hand'})

    def assert_safe(self, path, read):
        # In a separate process, because HDF5 reports damage when a process ends.
        outcomes = run_python('''
from tests.spn.test_damage import *
print(*flipped({!r}, {}, 120), sep='\\n')
'''.format(path, read.__name__), folder=self.folder).splitlines()
        self.assertEqual((len(outcomes), set(outcomes) - {'said', 'same'}), (120, set()))
        self.assertGreater(outcomes.count('said'), 60)

    def test_a_data_set_with_flipped_bytes(self):
        self.assert_safe(self.data, data_set_of)

    def test_superpixels_with_flipped_bytes(self):
        self.assert_safe(self.path('data.superpixels-columns', '000000.h5'), part_of)

    def test_features_with_flipped_bytes(self):
        features.make_features(self.data, 32, EncoderByHand()).close()
        self.assert_safe(self.path('data.features-32', '000000.h5'), part_of)

    def test_a_damaged_picture_is_reported_with_its_file_its_dataset_and_the_cure(self):
        with h5py.File(self.data, 'r') as file:
            _, chunk = file['images'].id.read_direct_chunk((1, 0, 0, 0))
        with open(self.data, 'r+b') as stream:
            place = stream.read().index(chunk)
            stream.seek(place + 100)
            byte = stream.read(1)[0]
            stream.seek(place + 100)
            stream.write(bytes([byte ^ 1]))
        with Dataset(self.data) as data:
            self.assert_says([self.data, "dataset 'images'", 'make it again with `spn data`'], data.image, 1)
            np.testing.assert_array_equal(data.image(2), records()[2].image)

    def test_every_dataset_has_a_checksum(self):
        features.make_features(self.data, 32, EncoderByHand()).close()
        self.assert_all_have_checksums(self.data)
        self.assert_all_have_checksums(self.path('data.features-32', '000000.h5'))
        self.assert_all_have_checksums(self.path('data.superpixels-columns', '000000.h5'))
