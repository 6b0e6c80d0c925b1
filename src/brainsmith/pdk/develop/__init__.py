"""`brainsmith develop`: a plugin checked at each save."""
