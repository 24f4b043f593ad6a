"""Which NumPy this is."""


def major():
    import numpy  # not above: the bridge is loaded before anybody may want it
    return int(numpy.__version__.split('.')[0])
