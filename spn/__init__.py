"""Superpixel pooling networks: from image-level labels to segmentations.

Kwak, Hong, Han: "Weakly Supervised Semantic Segmentation Using Superpixel Pooling Network", AAAI 2017, on top of
`keras_layer`. ``python -m spn --help`` lists the commands; docs/reproduction.md reports the results.
"""
