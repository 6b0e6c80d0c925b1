"""Writes plugins into folders."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.sandbox import Level

Registry = Callable[..., PluginRegistry]
# For tests that look at classes and instances themselves.
TRUSTED = SandboxSettings(required=Level.L0)
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


def as_another_user(work: Callable[[], object], folder: Path) -> str:
    """What `work` says in a process without the rights of the superuser."""
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, str(work()).encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        text = answers.read()
    os.waitpid(child, 0)
    return text
