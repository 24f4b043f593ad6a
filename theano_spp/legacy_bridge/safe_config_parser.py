"""``configparser.SafeConfigParser``, by which Theano-PyMC's setup.py reads its settings.

Python 3.12 removed it and its method ``readfp``: pip cannot build Theano-PyMC, of which there is no wheel. They are put
back when that setup.py, or another, imports its ``versioneer``: a process of its own, in which nothing else runs.
"""
import configparser


def safe_config_parser():
    """Put the class and the method back if they are missing."""
    if not hasattr(configparser, 'SafeConfigParser'):
        class SafeConfigParser(configparser.ConfigParser):
            readfp = configparser.ConfigParser.read_file
        configparser.SafeConfigParser = SafeConfigParser
