"""The built-in kernels, one folder each."""
