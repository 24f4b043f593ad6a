"""What setup.py of Theano-PyMC and Theano's GPU side need of Python and setuptools."""
import configparser
import io
import sys
import unittest
from unittest import mock

from theano_spp.legacy_bridge.imports_of_gpu_side import imports_of_gpu_side, imports_of_gpu_side_no_more
from theano_spp.legacy_bridge.safe_config_parser import safe_config_parser
from tests.theano_spp.legacy_bridge import HIDE, raised_without, run_bridged


class SafeConfigParserTest(unittest.TestCase):

    @unittest.skipUnless(sys.version_info >= (3, 12), 'this Python still has it')
    def test_without_it_no_versioneer_of_those_days_reads_its_settings(self):
        code = """
import importlib.machinery, types
class Versioneer:  # in place of the file of this name that lies next to a setup.py
    def find_spec(name, path=None, target=None):
        if name == 'versioneer':
            return importlib.machinery.ModuleSpec(name, Versioneer)
    create_module = exec_module = lambda *arguments: None
sys.meta_path.append(Versioneer)
import versioneer, configparser, io
parser = configparser.SafeConfigParser()
parser.readfp(io.StringIO('[versioneer]\\nstyle = pep440'))
print(parser.get('versioneer', 'style'))
"""
        self.assertEqual(run_bridged(code), 'pep440\n')
        self.assertIn("no attribute 'SafeConfigParser'", raised_without('safe_config_parser', code))

    @unittest.skipUnless(sys.version_info < (3, 12), 'this Python has it no more')
    def test_where_python_has_it_nothing_is_changed(self):
        before = configparser.SafeConfigParser
        safe_config_parser()
        self.assertIs(configparser.SafeConfigParser, before)


class ImportsOfGpuSideTest(unittest.TestCase):

    def test_without_them_theano_on_a_gpu_cannot_be_imported_and_nobody_else_sees_them(self):
        for gone in 'pkg_resources', 'numpy.linalg.linalg':
            before = 'import numpy.linalg; sys.modules.pop({!r}, None)\n'.format(gone)
            after = '\nimport theano.gpuarray.linalg; print({!r} in sys.modules)'.format(gone)
            hidden = before + HIDE.format(gone) + after
            self.assertEqual(run_bridged(hidden).splitlines()[-1], 'False')
            self.assertIn('ModuleNotFoundError: ', raised_without('imports_of_gpu_side', hidden))

    def test_the_real_ones_are_left_alone(self):
        with mock.patch.dict(sys.modules, {'pkg_resources': io, 'numpy.linalg.linalg': io}):
            imports_of_gpu_side()
            imports_of_gpu_side_no_more(None)
            self.assertIs(sys.modules['pkg_resources'], io)
            self.assertIs(sys.modules['numpy.linalg.linalg'], io)
