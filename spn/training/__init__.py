"""Training: on image-level labels first, then in rounds on the masks that came of it."""
