"""spn on the device: features, losses, weights, scores and masks are those of a process on the CPU.

Loops over elements are left to the CPU here, because OpenCL would compile each of hundreds for half a second: they are
in test_theanos_kernels.py.
"""
import contextlib
import csv
import glob
import io
import os
import shutil

import h5py
import numpy as np
from keras import backend
from PIL import Image

from spn.commands import main
from spn.networks.device import say_device
from tests.gpuarray.on_device import bring_loops_over_elements_to_the_device, leave_loops_over_elements_to_the_cpu
from tests.processes import run_python
from tests.spn.cases import FolderTestCase, SharedFolderTestCase, photographs, records, write_small
from theano_spp import gpuarray
from theano_spp.legacy_bridge.blas import openblas_ldflags

#: In the order in which users run them; `train` encodes.
COMMANDS = ['train data.h5 --out run --size 32 --size 48 --weights random --superpixels grid --epochs 1',
            'segment data.h5 run --rounds 1 --epochs 1',
            'cam data.h5 run --split all --threshold .5 --out masks',
            'predict face.png --run run --class living --out predicted',
            'evaluate data.h5 run --out evaluated']
MASKS = 'masks/masks/*.png', 'predicted/*-mask.png'
RUN = """
from spn.commands import main
for command in {!r}:
    main(command.split(), prog_name='spn', standalone_mode=False)
"""


def all_with_masks():
    """The small data set, whose training image shows both classes, and whose test image has a mask too."""
    face, cat, cup = records({'labels': np.array([1, 1], 'uint8')})
    face.mask[45:60] = 2
    return [face, cat, cup._replace(mask=np.full(cup.image.shape[:2], 2, 'uint8'))]


def floats_in(path):
    """All arrays of floats in an HDF5 file."""
    arrays = []
    with h5py.File(path, 'r') as file:
        file.visititems(lambda name, item: arrays.append(item[()]) if isinstance(item, h5py.Dataset)
                        and item.dtype.kind == 'f' else None)
    return arrays


class SayingTest(FolderTestCase):

    def test_the_device_is_said_in_a_line_on_standard_error(self):
        say_device()
        self.assertEqual(self.shown.getvalue(), 'Theano runs on {}\n'.format(gpuarray.device()))

    def test_numbers_that_are_not_float32_are_refused_with_the_cure(self):
        backend.set_floatx('float64')
        self.addCleanup(backend.set_floatx, 'float32')
        self.assert_says(('Keras is set to float64', 'write "floatx": "float32" in keras.json'), say_device)


class CommandsTest(SharedFolderTestCase):

    @classmethod
    def make_shared(cls):
        cls.cpu, cls.device = [os.path.join(cls.shared, name) for name in ('cpu', 'device')]
        os.mkdir(cls.cpu)
        write_small(os.path.join(cls.cpu, 'data.h5'), all_with_masks())
        Image.fromarray(photographs()[0]).save(os.path.join(cls.cpu, 'face.png'))
        main(['superpixels', os.path.join(cls.cpu, 'data.h5'), '--method', 'grid'], standalone_mode=False)
        shutil.copytree(cls.cpu, cls.device)
        run_python(RUN.format(COMMANDS), {'device': 'cpu', 'blas.ldflags': '"{}"'.format(openblas_ldflags())}, cls.cpu)
        cls.said = io.StringIO()
        here = os.getcwd()
        os.chdir(cls.device)
        leave_loops_over_elements_to_the_cpu()
        try:
            with contextlib.redirect_stderr(cls.said), contextlib.redirect_stdout(io.StringIO()):
                for command in COMMANDS:
                    main(command.split(), prog_name='spn', standalone_mode=False)
        finally:
            bring_loops_over_elements_to_the_device()
            os.chdir(here)

    def pairs(self, pattern):
        """The files of a pattern of names, each as made on the device and on the CPU."""
        made = sorted(glob.glob(os.path.join(self.device, pattern)))
        self.assertTrue(made)
        return [(path, os.path.join(self.cpu, os.path.relpath(path, self.device))) for path in made]

    def assert_same_arrays(self, paths, tolerance):
        """The floats of two HDF5 files are the same, in their order: Keras names weights by what was built before."""
        actual, wanted = map(floats_in, paths)
        self.assertTrue(wanted)
        self.assertEqual(len(actual), len(wanted))
        for array, wanted_array in zip(actual, wanted):
            np.testing.assert_allclose(array, wanted_array, rtol=0, atol=tolerance * np.abs(wanted_array).max())

    def test_each_command_says_the_device(self):
        self.assertEqual(self.said.getvalue().count('Theano runs on {}\n'.format(gpuarray.device())), len(COMMANDS))

    def test_features_are_those_of_the_cpu(self):
        for paths in self.pairs('data.features-*/*.h5'):
            self.assert_same_arrays(paths, 2e-3)  # they are kept in half precision

    def test_losses_and_weights_are_those_of_the_cpu(self):
        for paths in self.pairs('run/model.h5') + self.pairs('run/round-1/model.h5'):
            self.assert_same_arrays(paths, 2e-3)
        for paths in self.pairs('run/log.csv') + self.pairs('run/round-1/log.csv'):
            actual, wanted = [list(csv.DictReader(open(path))) for path in paths]
            self.assertEqual([list(row) for row in actual], [list(row) for row in wanted])
            for row, wanted_row in zip(actual, wanted):
                np.testing.assert_allclose([float(value) for value in row.values()],
                                           [float(value) for value in wanted_row.values()], rtol=1e-3)

    def test_masks_are_those_of_the_cpu(self):
        for paths in [pair for pattern in MASKS for pair in self.pairs(pattern)]:
            actual, wanted = [np.array(Image.open(path)) for path in paths]
            self.assertLess((actual != wanted).mean(), .01, paths[0])
