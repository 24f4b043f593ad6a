"""The frozen encoder and its features on disk; the superpixel pooling and the segmentation network, and their files."""
