"""Packs theano_spp, keras_layer and spn. Pins are in environments/, the version in theano_spp/version.py."""
import os
import re

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, *name.split('/')), encoding='utf-8') as f:
        return f.read()


def pins(name):
    return [line for line in read(name).splitlines() if line and not line.startswith(('#', '-r'))]


# How `import keras` works also where theano, keras or nose is imported before theano_spp. Python runs each line of a
# .pth file that starts with `import`, at its start. This one does no more than to wait in sys.meta_path for the first
# of the three; then it loads the bridge by its path, because theano_spp itself would import Theano.
AT_START = """
class FirstImport(object):
    waits_for = ('theano', 'keras', 'nose')

    def find_spec(self, name, path=None, target=None):
        if name not in self.waits_for:
            return None
        self.waits_for = ()
        import importlib.util, os
        package = importlib.util.find_spec('theano_spp')
        bridge = os.path.join(os.path.dirname(package and package.origin or ''), 'legacy_bridge.py')
        if package and os.path.exists(bridge):
            spec = importlib.util.spec_from_file_location('theano_spp_legacy_bridge', bridge)
            bridge = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(bridge)
            bridge.apply()
            bridge.build_bridges_before(name)
        return None

sys.meta_path.insert(0, FirstImport())
"""
PTH_NAME = 'theano_spp_legacy_bridge.pth'
PTH_TEXT = "import sys; sys.version_info < (3, 12) and exec({!r}, {{'sys': sys}})\n".format(AT_START)


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


class build_py_with_bridge(build_py):
    """Writes the .pth file beside the packages, where Python looks for such files once they are installed.

    And the pins into theano_spp, where theano_spp/installation.py reads them.
    """

    written = {PTH_NAME: PTH_TEXT,
               os.path.join('theano_spp', 'requirements.txt'): read('environments/requirements.txt')}

    def run(self):
        build_py.run(self)
        for name, text in self.written.items():
            write(self.build_lib, name, text)
        if getattr(self, 'editable_mode', False):  # pip install -e: its wheel holds no more than what install_lib does
            write(self.get_finalized_command('install').install_lib, PTH_NAME, PTH_TEXT)

    def get_outputs(self, include_bytecode=1):
        return build_py.get_outputs(self, include_bytecode) + [
            os.path.join(self.build_lib, name) for name in self.written]


class develop_with_bridge(develop):
    """Older ways of ``pip install -e``: the .pth file lies beside the link to this folder.

    ``pip uninstall`` leaves it there, where it finds no theano_spp and does nothing.
    """

    def install_for_development(self):
        develop.install_for_development(self)
        write(self.install_dir, PTH_NAME, PTH_TEXT)


setup(
    name='theano-spp',
    version=re.search(r"__version__ = '(.*)'", read('theano_spp/version.py')).group(1),
    description='Superpixel pooling and unpooling for Theano and Keras, forward and backward in C',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    author='theano-spp authors',
    license='BSD-3-Clause',
    packages=find_packages(include=['theano_spp', 'theano_spp.*', 'keras_layer', 'spn', 'spn.*']),
    package_data={'': ['c_code/*/*']},
    python_requires='>=3.6,<3.12',
    install_requires=pins('environments/requirements.txt'),
    extras_require={'spn': pins('environments/requirements-spn.txt')},
    entry_points={'console_scripts': ['spn = spn.commands:main']},
    cmdclass={'build_py': build_py_with_bridge, 'develop': develop_with_bridge},
    zip_safe=False,
    classifiers=[
        'Operating System :: POSIX :: Linux',
        'Programming Language :: C',
    ] + ['Programming Language :: Python :: 3.{}'.format(minor) for minor in range(6, 12)] + [
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
