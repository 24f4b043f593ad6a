"""What networks learn from: data sets of labelled pictures in HDF5, their sources, and superpixel maps of them."""
