"""Sources of pictures with image-level labels; each kind has a module that writes it as a `spn.data.dataset`."""
