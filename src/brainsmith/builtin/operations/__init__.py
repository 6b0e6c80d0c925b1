"""The built-in operations: how they are matched in a graph, and their reference numerics."""
