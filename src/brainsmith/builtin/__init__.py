"""The built-in plugin: operations, kernels, transforms, targets and strategies."""
