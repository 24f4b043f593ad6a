"""Sources of pictures with image-level labels: each module writes one kind of source as a `spn.data.dataset`."""
