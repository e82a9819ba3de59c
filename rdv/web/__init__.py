"""What surrounds the endpoint: the explorer, health, metrics, limits by caller."""
