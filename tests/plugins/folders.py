"""Writes plugins into folders."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from brainsmith.plugins import PluginRegistry

Registry = Callable[..., PluginRegistry]
KERNEL = """\
from brainsmith.api import RTLOp, backend, kernel

@kernel(name="{name}", operation_type="matmul", version="1.0.0")
class {name}:
    @backend("rtl")
    def rtl(self, config):
        return RTLOp("mine", [])
"""


def write_plugin(
    folder: Path, name: str, version: str = "1.0.0", kernel: str = "Mine", more: str = ""
) -> Path:
    """A plugin with one kernel in the module `NAME_kernels`; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    module = f"{name.replace('-', '_').replace('.', '_').lower()}_kernels"
    manifest = f"""\
        name: {name}
        version: {version}
        kernels:
          - {{name: {kernel}, module: {module}, class: {kernel}}}
        """
    (folder / "brainsmith.yaml").write_text(textwrap.dedent(manifest) + textwrap.dedent(more))
    (folder / f"{module}.py").write_text(KERNEL.format(name=kernel))
    return folder
