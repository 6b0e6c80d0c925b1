"""A plugin as it is handed on: a `.bspkg` file, or the source tree that one is packed from."""

from __future__ import annotations

from pathlib import Path

from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.plugins.archive import SUFFIX, Archive, read_archive
from brainsmith.plugins.archive_names import folded
from brainsmith.plugins.contents import check_contents
from brainsmith.plugins.installed import RECORD
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.packing import pack
from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.safe_yaml import MAX_BYTES, parse_yaml


def open_package(source: Path) -> tuple[Archive, Manifest]:
    """The archive of a plugin and its manifest, before anything is unpacked.

    Args:
        source: a `.bspkg` file, or a folder, which is packed in memory.

    Raises:
        ConfigurationError: there is no such file or folder.
        PluginError: the archive breaks a rule, or its manifest is missing or wrong.
    """
    if source.is_dir():
        archive = pack(source)
    elif source.exists():
        archive = read_archive(source)
    else:
        raise ConfigurationError(
            "there is no such file or folder",
            where=str(source),
            hint=f"name a {SUFFIX} file, or a folder with a {FILE_NAME}",
        )
    _check_record_name(archive)
    check_contents(archive)
    return archive, manifest_of(archive)


def manifest_of(archive: Archive) -> Manifest:
    """The manifest in an archive.

    Raises:
        PluginError: it is missing, or something in it is wrong.
    """
    where = f"{archive.source}/{FILE_NAME}"
    sizes = {entry.name: entry.size for entry in archive.entries}
    if FILE_NAME not in sizes:
        similar = [name for name in sizes if name.lower().endswith((".yaml", ".yml"))]
        near = f": {nearest(FILE_NAME, similar)}" if similar else ""
        raise PluginError("there is no manifest", where=where, hint=f"it must lie at the top{near}")
    if sizes[FILE_NAME] > MAX_BYTES:
        raise PluginError(f"the file is larger than {MAX_BYTES} bytes", where=where)
    try:
        text = archive.read(FILE_NAME).decode()
    except UnicodeDecodeError as error:
        raise PluginError(
            "this is not YAML: the text is not UTF-8", where=where, hint="save the file as UTF-8"
        ) from error
    return Manifest.of(parse_yaml(text, where))


def _check_record_name(archive: Archive) -> None:
    """The record of the store lies among a plugin's files: none of them may take its name."""
    for name in archive.names:
        if folded(name).partition("/")[0] == RECORD:
            raise PluginError(
                f"the name '{RECORD}' is kept for the store",
                where=f"{archive.source}/{name}",
                hint="remove the file",
            )
