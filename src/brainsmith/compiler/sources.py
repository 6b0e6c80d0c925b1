"""The sources of an implementation: read, checked, and named so that no two are the same."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from brainsmith.api import RTLOp
from brainsmith.compiler.rtl_contract import check_file_name
from brainsmith.errors import PluginError, PluginSecurityError
from brainsmith.plugins import Component
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check import check_sources, rename_includes

_MOST = 2_000_000  # bytes of one source


def read_sources(kernel: Component, op: RTLOp, where: str) -> tuple[Source, ...]:
    """The sources under names that are unique in the project, and include each other by those.

    Raises:
        PluginError: one cannot be read.
        PluginSecurityError: one lies outside the plugin, or one of a plugin that is not built in
            could do more than describe hardware.
    """
    plugin = kernel.plugin
    paths = [_locate(kernel, name, where) for name in op.sources]
    texts = [_text(kernel, path, where) for path in paths]
    found = [
        *(
            Source(f"{plugin.name}/{path.as_posix()}", text)
            for path, text in zip(paths, texts, strict=True)
        ),
        *(Source(name, text) for name, text in op.generated.items()),
    ]
    level = Level.L0
    if plugin.origin != "built-in":
        check_sources(found)
        level = plugin.settings.required
    unique = [source.name.replace("/", "_") for source in found]
    headers = {
        source.name.rpartition("/")[2]: name for source, name in zip(found, unique, strict=True)
    }
    for name in unique:
        check_file_name(name, "the source", where)
    return tuple(
        rename_includes(Source(name, source.text, level), headers)
        for source, name in zip(found, unique, strict=True)
    )


def _locate(kernel: Component, name: str, where: str) -> Path:
    """The path of a source below the plugin's folder, behind all links."""
    root = kernel.plugin.root.resolve()
    path = (kernel.folder / name).resolve()
    if not path.is_relative_to(root):
        raise PluginSecurityError(
            f"the source '{name}' lies outside the plugin",
            where=where,
            hint="copy it into the plugin",
        )
    return path.relative_to(root)


def _text(kernel: Component, path: Path, where: str) -> str:
    """The text of a regular file that is not too large; a pipe or device would never end."""
    full = kernel.plugin.root.resolve() / path
    try:
        fd = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            data = file.read(_MOST + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PluginError(f"cannot read the source '{path}': {reason}", where=where) from error
    if data is None:
        raise PluginError(f"the source '{path}' is no file", where=where)
    if len(data) > _MOST:
        raise PluginError(f"the source '{path}' is larger than {_MOST} bytes", where=where)
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PluginError(f"the source '{path}' is no text in UTF-8", where=where) from error
