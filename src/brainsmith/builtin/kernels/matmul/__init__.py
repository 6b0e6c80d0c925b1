"""The matrix-vector unit."""
