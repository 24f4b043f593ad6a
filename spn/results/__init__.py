"""What is read off trained networks: activation maps, masks, how good they are, and the pictures and tables that show it."""
