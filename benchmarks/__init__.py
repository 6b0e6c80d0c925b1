"""Measurements of speed. `make bench` runs them all and keeps the figures with the machine."""
