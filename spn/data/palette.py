"""PASCAL VOC's colours of classes: written into masks, and read from masks that other programs have saved."""
import numpy as np


def palette():
    """The colours of PASCAL VOC's masks, (256, 3) of uint8: the bits of the class, spread over the three channels."""
    classes = np.arange(256)
    colours = np.zeros((256, 3), 'uint8')
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((classes >> (3 * bit + channel) & 1) << (7 - bit)).astype('uint8')
    return colours


PALETTE = palette()
