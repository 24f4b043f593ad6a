"""Where pictures with image-level labels come from: each file brings one source into the layout of `spn.data.dataset`."""
