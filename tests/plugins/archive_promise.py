"""What the archive reader promises for any bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from brainsmith.errors import PluginError
from brainsmith.plugins.archive import parse_archive


def check(data: bytes, folder: Path) -> bool:
    """Whether `data` is accepted; AssertionError where the reader does not keep its promise.

    Either it is refused with a PluginError and nothing is left, or it unpacks below `folder` (which
    is empty) to exactly what Python's zipfile sees.
    """
    inside = folder / "inside"
    inside.mkdir()
    target = inside / "plugin"
    try:
        parse_archive(data, "fuzz.bspkg").unpack(target)
    except PluginError as error:
        assert error.where and error.hint, error
        assert list(folder.rglob("*")) == [inside], "something is left"
        inside.rmdir()
        return False
    assert seen(folder) == {f"inside/plugin/{k}": v for k, v in by_zipfile(data).items()}
    return True


def seen(folder: Path) -> dict[str, bytes]:
    """All files below `folder`; there is nothing else but folders that hold some."""
    found = {}
    for path in folder.rglob("*"):
        assert not path.is_symlink(), path
        if path.is_dir():
            assert any(path.iterdir()), path
        else:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def by_zipfile(data: bytes) -> dict[str, bytes]:
    """What Python's own reader sees, with its checks of CRC and size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == len(names)
        return {name: archive.read(name) for name in names}
