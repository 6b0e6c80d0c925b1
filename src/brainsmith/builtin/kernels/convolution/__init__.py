"""Convolutions and pooling over windows, composed of other operations."""
