"""What is read off trained networks: activation maps, masks, and how good they are, in tables and pictures."""
