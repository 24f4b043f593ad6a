"""Packs theano_spp, keras_layer and spn. The version is in theano_spp/version.py, and pins are in environments/."""
import os
import re
import sys

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, *name.split('/')), encoding='utf-8') as f:
        return f.read()


# Installed next to the packages, so that `import keras` works before theano_spp is imported.
sys.path.insert(0, os.path.join(HERE, 'theano_spp', 'legacy_bridge'))
from first_import import PTH_NAME, pth_line

# Ranges, which leave alone what an environment has. Keras and Theano themselves bring six, PyYAML and the rest.
REQUIRED = [
    # Without theano_spp's bridge, which has to be installed before, pip cannot build it on Python 3.12 and later.
    'Theano-PyMC>=1.0.5,<=1.0.9; python_version < "3.12"',
    'keras==2.2.5',
    'numpy>=1.19.5,<3',
    'scipy>=1.5.4',
    'h5py>=2.10',
    # Python has had no distutils since 3.12, setuptools has.
    'setuptools; python_version >= "3.12"',
]
REQUIRED_BY_SPN = ['scikit-image>=0.17.2', 'matplotlib>=3.3.4', 'pillow>=8.3.2', 'tqdm>=4.64', 'click>=8.0.4',
                   'onnx>=1.14.1', 'protobuf>=3.20.3', 'Jinja2>=3.0.3']
REQUIRED_BY_CLUSTER = ['dask>=2023.5.0', 'distributed>=2023.5.0']


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


class build_py_with_bridge(build_py):
    """Writes the .pth file beside the packages, where Python looks for such files once they are installed.

    And the pins into theano_spp, where theano_spp/installation.py reads them.
    """

    written = {PTH_NAME: pth_line(),
               os.path.join('theano_spp', 'requirements.txt'): read('environments/requirements.txt')}

    def run(self):
        build_py.run(self)
        for name, text in self.written.items():
            write(self.build_lib, name, text)
        if getattr(self, 'editable_mode', False):  # pip install -e: its wheel holds no more than what install_lib does
            write(self.get_finalized_command('install').install_lib, PTH_NAME, pth_line())

    def get_outputs(self, include_bytecode=1):
        return build_py.get_outputs(self, include_bytecode) + [
            os.path.join(self.build_lib, name) for name in self.written]


class develop_with_bridge(develop):
    """Older ways of ``pip install -e``: the .pth file lies beside the link to this folder.

    ``pip uninstall`` leaves it there, where it finds no theano_spp and does nothing.
    """

    def install_for_development(self):
        develop.install_for_development(self)
        write(self.install_dir, PTH_NAME, pth_line())


setup(
    name='theano-spp',
    version=re.search(r"__version__ = '(.*)'", read('theano_spp/version.py')).group(1),
    description='Superpixel pooling and unpooling for Theano and Keras, forward and backward in C',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    author='theano-spp authors',
    license='BSD-3-Clause',
    packages=find_packages(include=['theano_spp', 'theano_spp.*', 'keras_layer', 'spn', 'spn.*']),
    package_data={'': ['c_code/*/*', '*.h'], 'spn.results': ['templates/*']},
    python_requires='>=3.6,<3.14',
    install_requires=REQUIRED,
    extras_require={'spn': REQUIRED_BY_SPN, 'cluster': REQUIRED_BY_CLUSTER},
    entry_points={'console_scripts': ['spn = spn.commands:main']},
    cmdclass={'build_py': build_py_with_bridge, 'develop': develop_with_bridge},
    zip_safe=False,
    classifiers=[
        'Operating System :: POSIX :: Linux',
        'Programming Language :: C',
    ] + ['Programming Language :: Python :: 3.{}'.format(minor) for minor in range(6, 14)] + [
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
