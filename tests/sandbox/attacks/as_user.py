"""Runs a command as an ordinary user: `python as_user.py UID PATH... -- COMMAND...`.

Root starts it. The paths are what the command needs. Where folders above them are closed to the
user, they are opened for this command alone: it has a mount namespace in which they hold nothing
else.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    at = sys.argv.index("--")
    uid, paths, command = int(sys.argv[1]), sys.argv[2:at], sys.argv[at + 1 :]
    _check(_libc.unshare(_CLONE_NEWNS))
    _check(_libc.mount(b"", b"/", None, _MS_REC | _MS_PRIVATE, None))
    _open(sorted({os.path.realpath(path) for path in paths}))
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.chdir(paths[0])
    os.execv(command[0], command)


def _open(paths: list[str]) -> None:
    """Covers each closed folder by one that holds the needed paths only."""
    closed: dict[Path, list[str]] = {}
    for path in paths:
        folders = (*reversed(Path(path).parents), Path(path))
        shut = next((folder for folder in folders if not folder.stat().st_mode & 0o001), None)
        if shut is not None:
            closed.setdefault(shut, []).append(path)
    for folder, needed in closed.items():
        cover = Path(tempfile.mkdtemp(prefix="brainsmith-cover-"))
        cover.chmod(0o755)
        for path in needed:
            place = cover / Path(path).relative_to(folder)
            place.mkdir(parents=True, exist_ok=True)
            _bind(path, str(place))
        _bind(str(cover), str(folder))


def _bind(source: str, target: str) -> None:
    flags = ctypes.c_ulong(_MS_BIND | _MS_REC)
    _check(_libc.mount(source.encode(), target.encode(), None, flags, None))


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    main()
