"""Results of trained networks: activation maps, masks, their evaluation, tables and pictures."""
