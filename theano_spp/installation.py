"""Explains in one sentence why Theano cannot be imported, and what to type. Needs only the standard library."""

import importlib.util
import os
import re
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
#: The newest versions with which Theano was tried here, of packages that other projects ask pip for.
NEWEST_TRIED = {'numpy': '2.5', 'scipy': '1.18', 'h5py': '3.16'}
#: The package to install if a module is missing, where it has another name.
PACKAGE_OF = {'theano': 'Theano-PyMC', 'distutils': 'setuptools'}


def has_theano():
    """Whether any Theano is installed, even one that does not work here."""
    return sys.modules.get('theano') is not None or importlib.util.find_spec('theano') is not None


def check_theano():
    """Raise ImportError, in one sentence with the cure, unless there is a Theano with the classes that the ops need."""
    try:
        from theano import gof
        gof.COp
    except Exception as reason:  # Theano raises a plain Exception if nothing can be compiled
        sentence = why_theano_is_missing(reason)
        if sentence is None:
            raise
        # Without the traceback through Theano, which is forty lines long and ends elsewhere.
        raise ImportError(sentence) from None


def why_theano_is_missing(reason):
    """Explain why ``theano.gof.COp`` is not available.

    Parameters
    ----------
    reason : Exception
        The exception raised by the attempt to import it.

    Returns
    -------
    str or None
        One sentence that ends with the cure; None if the reason is unknown.
    """
    if ' Python.h: ' in str(reason):
        return ("theano_spp needs Theano, and Theano needs Python's header Python.h besides a compiler, which is not"
                ' there (on Debian or Ubuntu: apt-get install python3-dev, or python{0}.{1}-dev for a Python {0}.{1}'
                " that is not the system's own)".format(*sys.version_info))
    theano, newer = sys.modules.get('theano'), newer_than_tried()
    missing = getattr(reason, 'name', None)
    missing = PACKAGE_OF.get(missing, missing)
    said = textwrap.shorten(str(reason), 200, placeholder=' ...')  # compilers print pages
    if theano is not None:
        problem, wanted = 'Theano %s has none' % theano.__version__, ['Theano-PyMC']
    elif missing in pins():
        problem, wanted = 'Theano cannot be imported (%s)' % said, [missing]
    elif newer:
        problem = 'Theano cannot be imported with %s (%s)' % (', '.join('%s %s' % each for each in newer), said)
        wanted = [name for name, _ in newer]
    elif not isinstance(reason, (ImportError, AttributeError)):
        return None
    else:
        problem, wanted = 'Theano cannot be imported (%s)' % said, ['Theano-PyMC']
    return ('theano_spp builds on theano.gof.COp of Theano 1.0.4 to 1.0.5 or Theano-PyMC 1.0.5 to 1.0.9, but %s: pip'
            ' install %s' % (problem, ' '.join('%s==%s' % (name, pins()[name]) for name in wanted)))


def newer_than_tried():
    """Return the (name, version) of each package of `NEWEST_TRIED` that is newer here."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # Python 3.6 and 3.7, for which no NumPy is too new
        return []
    installed = []
    for name in NEWEST_TRIED:
        try:
            installed.append((name, version(name)))
        except PackageNotFoundError:
            pass
    return [(name, here) for name, here in installed if numbers(here)[:2] > numbers(NEWEST_TRIED[name])]


def numbers(version):
    return [int(number) for number in re.findall(r'\d+', version)[:3]]


def pins():
    """Return {name: version} of requirements.txt for this Python; setup.py copies that file into the package."""
    inside = os.path.join(HERE, 'requirements.txt')
    path = inside if os.path.exists(inside) else os.path.join(
        os.path.dirname(HERE), 'environments', 'requirements.txt')
    with open(path, encoding='utf-8') as lines:
        matches = [re.match(r'([\w-]+)==([\w.]+)(;.*)?$', line.strip()) for line in lines]
    return {match.group(1): match.group(2) for match in matches if match and is_for_this_python(match.group(3) or '')}


def is_for_this_python(marker):
    """Whether a marker like ``python_version >= "3.9" and python_version < "3.12"`` fits."""
    minor = sys.version_info[1]
    return all((minor < int(limit)) == (sign == '<')
               for sign, limit in re.findall(r'python_version (<|>=) "3\.(\d+)"', marker))
