"""The messages when Theano's flags ask for a GPU that is not available."""
import unittest

from tests.processes import run_python

IMPORT = '''
import sys, types, warnings
{before}
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter('always')
    import theano_spp
print('said', [str(w.message) for w in said if 'theano_spp' in str(w.message)])
import theano.tensor as T, theano, numpy as np
x, m = T.ftensor4(), T.itensor3()
print(theano.function([x, m], theano_spp.superpixel_pool(x, m))(np.ones((1, 1, 1, 2), 'float32'), [[[0, 0]]]))
'''
#: Another pygpu than the one that goes with this Theano, as far as anybody looks.
OTHER_PYGPU = '''
pygpu = types.ModuleType('pygpu')
pygpu.__version__ = '0.6.9'
import theano
sys.modules['pygpu'] = pygpu
'''
NO_PYGPU = "sys.modules['pygpu'] = None"


class MessageTest(unittest.TestCase):

    def said(self, device, before):
        printed = run_python(IMPORT.format(before=before), {'device': device})
        self.assertIn('[[[1.]]]', printed)  # on the CPU
        return next(line for line in printed.splitlines() if line.startswith('said '))

    def test_without_pygpu_it_is_reported_once_with_the_cure(self):
        for device in ('cuda', 'cuda0', 'opencl0:0'):
            said = self.said(device, NO_PYGPU)
            self.assertEqual(said.count('theano_spp:'), 1)
            self.assertIn("theano_spp: Theano's flags ask for a GPU (device=%s), but everything runs on the CPU: pygpu"
                          ' cannot be imported (' % device, said)
            self.assertIn('On Debian 12: apt-get install python3-pygpu libgpuarray-dev', said)

    def test_without_pkg_resources_the_setuptools_to_install_is_named(self):
        said = self.said('cuda', """
class NoPkgResources(object):
    def find_spec(self, name, path=None, target=None):
        if name == 'pygpu':
            raise ModuleNotFoundError("No module named 'pkg_resources'", name='pkg_resources')
sys.meta_path.insert(0, NoPkgResources())
""")
        self.assertIn("No module named 'pkg_resources'). setuptools 82 dropped it: pip install 'setuptools<82'", said)
        self.assertNotIn('apt-get', said)

    def test_another_pygpu_is_named_with_the_version_that_is_wanted(self):
        self.assertIn('pygpu is 0.6.9, but 0.7.6 is the version that goes with this Theano',
                      self.said('cuda', OTHER_PYGPU))

    def test_who_does_not_ask_for_a_gpu_hears_nothing(self):
        for before in (NO_PYGPU, OTHER_PYGPU):
            self.assertEqual(self.said('cpu', before), 'said []')
