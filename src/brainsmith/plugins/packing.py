"""The archive writer: the same bytes for the same files, whoever packs them and when.

Files come in the order of their names, with the first moment that zip knows as their time, and
compressed only where that makes them smaller. What is written is read back before it is given out,
so nothing is packed that the reader would refuse. The file `RECORD` has the digests of all others.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins import contents
from brainsmith.plugins.archive import SUFFIX, Archive, parse_archive
from brainsmith.plugins.archive_format import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    END,
    END_SIGNATURE,
    LIMITS,
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    UTF8_FLAG,
    Limits,
)
from brainsmith.plugins.files import replace_file, storage_errors
from brainsmith.plugins.ignored import Ignored

# Made by Unix, needs version 2.0; 1980-01-01 00:00; a regular file that all may read.
_MADE_BY, _NEEDED, _TIME, _DATE = 3 << 8 | 20, 20, 0, 1 << 5 | 1
_ATTRIBUTES = (stat.S_IFREG | 0o644) << 16

# What tools leave in a source tree. Hidden files are no part of a plugin either, nor its secrets.
_LEFT_OUT = (".*", "__pycache__", "*.pyc", "*.pyo", "*.egg-info", f"*{SUFFIX}")
_LEFT_OUT_AT_THE_TOP = ("build", "dist", "brainsmith.lock")
# Sources pack in a third of the time of the best level, to 1 % more bytes.
_LEVEL = 6
# What does not become smaller here does not elsewhere: weights, images, archives.
_SAMPLE = 4096


def package_files(folder: Path) -> dict[str, Path]:
    """The files of a plugin's source tree that belong to its package, by name in the package.

    Left out are hidden files, what git ignores, bytecode, packages, and `build` and `dist` at the
    top.

    Raises:
        PluginError: there is a link or something else that is no regular file.
        ConfigurationError: `folder` is no folder or cannot be read.
    """
    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    try:
        return {name: folder / name for name in _names(folder, Ignored(folder))}
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the folder: {error.strerror}", where=str(error.filename or folder)
        ) from error


def _names(folder: Path, ignored: Ignored, inside: str = "") -> Iterator[str]:
    """The names of the files that count, from the folder `inside` of `folder` on, sorted."""
    with os.scandir(folder / inside) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{inside}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if _is_left_out(entry.name, top=not inside) or ignored.holds_entry(name, folder=is_folder):
            continue
        if is_folder:
            yield from _names(folder, ignored, f"{name}/")
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            raise PluginError(
                "a plugin holds regular files and folders only, no links",
                where=str(folder / name),
                hint="put the file itself there",
            )


def _is_left_out(name: str, *, top: bool) -> bool:
    patterns = _LEFT_OUT + (_LEFT_OUT_AT_THE_TOP if top else ())
    # A list that an unpacked package has brought is made anew.
    return (top and name == contents.FILE_NAME) or any(
        fnmatch(name.lower(), pattern) for pattern in patterns
    )


def pack(folder: Path, limits: Limits = LIMITS) -> Archive:
    """The package of a plugin's source tree, in memory.

    Raises:
        PluginError: a name or a size breaks a rule of the format, or a file is a link.
        ConfigurationError: the folder or a file in it cannot be read.
    """
    return pack_files(read_files(package_files(folder), limits), str(folder), limits)


def read_files(files: Mapping[str, Path], limits: Limits = LIMITS) -> dict[str, bytes]:
    """The contents of files by their names in a package.

    Raises:
        PluginError: they are too large for one, or one of them is no regular file any more.
        ConfigurationError: one cannot be read.
    """
    found: dict[str, bytes] = {}
    total = 0
    for name, path in files.items():
        found[name] = _read(path, limits.unpacked - total)
        total += len(found[name])
    return found


def pack_files(files: Mapping[str, bytes], source: str, limits: Limits = LIMITS) -> Archive:
    """The package of some files, in memory, with their `RECORD`.

    Args:
        files: contents by name.
        source: where they came from, for errors.
        limits: what a package may demand of its readers.

    Raises:
        PluginError: a name or a size breaks a rule of the format.
    """
    named = {_encoded(name, source): data for name, data in files.items()}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    named[contents.FILE_NAME.encode()] = contents.listing(digests)
    content, directory = bytearray(), bytearray()
    ordered = sorted(named.items())
    for (encoded, data), packed in zip(ordered, _packed(data for _, data in ordered), strict=True):
        _append(content, directory, encoded, data, packed)
        if len(content) > limits.packed:
            raise _too_large(source, f"packs to more than {limits.packed >> 20} MiB")
    count = min(len(named), 0xFFFF)
    end = END.pack(END_SIGNATURE, 0, 0, count, count, len(directory), len(content), 0)
    return parse_archive(bytes(content + directory) + end, source, limits)


def write_archive(folder: Path, file: Path) -> str:
    """Packs a plugin's source tree into `file`, whole or not at all.

    The same files give the same bytes with the same zlib; the digest of the content
    (`archive.tree_digest`) does not depend on zlib either.

    Returns:
        the digest of the archive, as "sha256:...".

    Raises:
        PluginError: a name or a size breaks a rule of the format, or a file is a link.
        ConfigurationError: the folder cannot be read.
        StorageError: `file` cannot be written.
    """
    archive = pack(folder)
    with storage_errors(file):
        replace_file(file, archive.data)
    return archive.digest


def _packed(contents: Iterable[bytes]) -> Iterator[bytes]:
    """The contents deflated, or as they are where that is no smaller, on all cores."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        yield from pool.map(_packed_one, contents)


def _packed_one(data: bytes) -> bytes:
    sample = data[:_SAMPLE]
    if len(data) > 2 * _SAMPLE and len(zlib.compress(sample, 1)) >= len(sample):
        return data
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    return packed if len(packed) < len(data) else data


def _append(
    content: bytearray, directory: bytearray, name: bytes, data: bytes, packed: bytes
) -> None:
    method = DEFLATED if packed is not data else STORED
    common = (_NEEDED, UTF8_FLAG, method, _TIME, _DATE)
    sizes = (zlib.crc32(data), len(packed), len(data), len(name), 0)
    directory += CENTRAL.pack(
        CENTRAL_SIGNATURE, _MADE_BY, *common, *sizes, 0, 0, 0, _ATTRIBUTES, len(content)
    )
    directory += name
    content += LOCAL.pack(LOCAL_SIGNATURE, *common, *sizes) + name + packed


def _encoded(name: str, source: str) -> bytes:
    try:
        return name.encode()
    except UnicodeEncodeError as error:
        raise PluginError(
            "the file's name is not UTF-8", where=ascii(f"{source}/{name}")
        ) from error


def _read(path: Path, limit: int) -> bytes:
    """The content of a regular file, by a descriptor that no link can redirect."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise PluginError("the file was replaced while it was read", where=str(path))
            data = stream.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the file: {error.strerror}", where=str(path)
        ) from error
    if len(data) > limit:
        raise _too_large(str(path), "is too large for a package")
    return data


def _too_large(where: str, what: str) -> PluginError:
    return PluginError(f"the plugin {what}", where=where, hint="leave out what it does not need")
