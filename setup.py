"""Packs theano_spp, keras_layer and spn. Pins are in requirements*.txt, the version in theano_spp/version.py."""
import os
import re

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, *name.split('/')), encoding='utf-8') as f:
        return f.read()


def pins(name):
    return [line for line in read(name).splitlines() if line and not line.startswith(('#', '-r'))]


# How `import keras` works on Python 3.9-3.11 also where theano, keras or nose is imported before theano_spp. Python runs
# each line of a .pth file that starts with `import`, at its start. This one does no more than to wait in sys.meta_path for
# the first of the three; then it loads the bridge by its path, because theano_spp itself would import Theano.
AT_START = """
class FirstImport(object):
    waits_for = ('theano', 'keras', 'nose')

    def find_spec(self, name, path=None, target=None):
        if name not in self.waits_for:
            return None
        self.waits_for = ()
        import importlib.util, os
        bridge = os.path.join(sitedir, 'theano_spp', 'legacy_bridge.py')
        if os.path.exists(bridge):
            spec = importlib.util.spec_from_file_location('theano_spp_legacy_bridge', bridge)
            bridge = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(bridge)
            bridge.apply()
            bridge.build_bridges_before(name)
        return None

sys.meta_path.insert(0, FirstImport())
"""
PTH_NAME = 'theano_spp_legacy_bridge.pth'
# sitedir is what Python's site.py calls the folder of the .pth.
PTH_TEXT = "import sys; (3, 9) <= sys.version_info < (3, 12) and exec({!r}, {{'sys': sys, 'sitedir': sitedir}})\n".format(
    AT_START)


class build_py_with_bridge(build_py):
    """Writes the .pth file beside the packages, where Python looks for such files once they are installed.

    And the pins into theano_spp, where theano_spp/installation.py reads them.
    """

    def run(self):
        build_py.run(self)
        for path, text in self.written():
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)

    def get_outputs(self, include_bytecode=1):
        return build_py.get_outputs(self, include_bytecode) + [path for path, text in self.written()]

    def written(self):
        return [(os.path.join(self.build_lib, PTH_NAME), PTH_TEXT),
                (os.path.join(self.build_lib, 'theano_spp', 'requirements.txt'), read('requirements.txt'))]


setup(
    name='theano-spp',
    version=re.search(r"__version__ = '(.*)'", read('theano_spp/version.py')).group(1),
    description='Superpixel pooling and unpooling for Theano and Keras, forward and backward in C',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    author='theano-spp authors',
    license='BSD-3-Clause',
    packages=find_packages(include=['theano_spp', 'theano_spp.*', 'keras_layer', 'spn', 'spn.*']),
    package_data={'': ['c_code/*.c']},
    python_requires='>=3.6,<3.12',
    install_requires=pins('requirements.txt'),
    extras_require={'spn': pins('requirements-spn.txt')},
    entry_points={'console_scripts': ['spn = spn.commands:main']},
    cmdclass={'build_py': build_py_with_bridge},
    zip_safe=False,
    classifiers=[
        'Operating System :: POSIX :: Linux',
        'Programming Language :: C',
    ] + ['Programming Language :: Python :: 3.{}'.format(minor) for minor in range(6, 12)] + [
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
