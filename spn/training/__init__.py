"""Training: first on image-level labels, then in rounds on the resulting masks."""
