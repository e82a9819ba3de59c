"""The outside world behind small protocols: identity, directories."""
