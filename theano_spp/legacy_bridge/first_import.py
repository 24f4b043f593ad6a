"""How ``import keras`` works also where theano, keras or nose is imported before theano_spp.

Python runs each line of a .pth file in site-packages that starts with ``import`` when it starts. `pth_line` is such a
line. It does no more than to wait in ``sys.meta_path`` for the first import that needs a bridge; then it loads the
bridge by its path, because theano_spp itself would import Theano.

setup.py installs the line next to theano_spp; environments/make_venv.sh writes it into the .venv of a clone, below the
clone's path: ``python theano_spp/legacy_bridge/first_import.py`` prints both.
"""
import inspect
import os
import sys

PTH_NAME = 'theano_spp_legacy_bridge.pth'


class FirstImport:
    """Its source is the line's: it uses nothing of this file but ``sys``."""

    waits_for = ('theano', 'keras', 'nose', 'versioneer')

    def __init__(self):
        self.folders = list(sys.path)  # when pip builds a package, it takes site-packages away afterwards

    def find_spec(self, name, path=None, target=None):
        if name not in self.waits_for:
            return None
        self.waits_for = ()
        import importlib.util
        import os
        package = importlib.util.find_spec('theano_spp')
        folders = [os.path.dirname(package.origin)] if package and package.origin else []
        for folder in folders + [os.path.join(folder, 'theano_spp') for folder in self.folders]:
            bridge = os.path.join(folder, 'legacy_bridge', '__init__.py')
            if os.path.exists(bridge):
                spec = importlib.util.spec_from_file_location('theano_spp_legacy_bridge', bridge)
                sys.modules[spec.name] = bridge = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(bridge)
                bridge.apply()
                bridge.build_bridges_before(name)
                break
        return None


def pth_line():
    source = inspect.getsource(FirstImport) + '\nsys.meta_path.insert(0, FirstImport())\n'
    return "import sys; exec({!r}, {{'sys': sys}})\n".format(source)


if __name__ == '__main__':
    here = os.path.dirname(os.path.abspath(__file__))
    print(os.path.dirname(os.path.dirname(here)))
    print(pth_line(), end='')
