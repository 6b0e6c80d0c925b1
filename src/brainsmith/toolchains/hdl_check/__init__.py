"""Hardware sources are code too: those of plugins are checked before any tool sees them."""

from brainsmith.toolchains.hdl_check.check import check_sources
from brainsmith.toolchains.hdl_check.declarations import declared_names
from brainsmith.toolchains.hdl_check.includes import rename_includes

__all__ = ["check_sources", "declared_names", "rename_includes"]
