"""Settings of the networks and of their training; docs/reproduction.md explains the defaults.

Model files contain settings as JSON objects with the same names, in the order of the fields.
"""
from typing import NamedTuple


class NetworkSettings(NamedTuple):
    """Of the superpixel pooling network."""

    dropout: float = .5             # share of the encoder's feature maps that are 0 in training
    channels: int = 256             # of the extra convolution
    upsampling_stages: int = 0      # each doubles rows and columns
    upsampling_channels: int = 64
    gap_branch: bool = True
    superpixel_branch: bool = True
    size_exponent: float = 1        # superpixels are weighted by this power of their size; 0 in the paper
    correlation: bool = True        # whether superpixels that look alike share their scores
    resize: str = 'bilinear'        # how superpixel pooling interpolates features coarser than the map
    weight_decay: float = 1e-5


class TrainingSettings(NamedTuple):
    """Of the training of the superpixel pooling network."""

    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 5e-4     # falls to 40 % at half of the epochs, to 10 % at 80 %
    map_size: int = 256             # rows and columns that superpixel maps are resized to, only in training


class SegmentationSettings(NamedTuple):
    """Of the segmentation network."""

    hidden: int = 256               # units of the hidden layer
    weight_decay: float = 1e-5


class RoundSettings(NamedTuple):
    """Of a round of training of the segmentation network; the first four are as in `TrainingSettings`."""

    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 5e-4
    map_size: int = 256
    dropout: float = .5             # as in `NetworkSettings`
    kept: float = .7                # share of the masks of each class to learn from: the least scattered
    possible: float = .5            # below this multiple of the masks' threshold a pixel is surely background


def as_json(settings):
    """Settings as a dict, for a model file."""
    return dict(settings._asdict())
