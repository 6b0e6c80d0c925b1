"""The plugin development kit: from nothing to a package."""
