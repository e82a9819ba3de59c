"""What the product does, one file per area: read -> decide -> write -> tell."""
