"""Looks for bytes for which the archive reader does not keep its promise.

``python -m tests.plugins.fuzz FOLDER [options of libFuzzer]``; the archives in FOLDER are seeds.
It needs atheris, and is a program of its own because the reader must be imported instrumented.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["brainsmith.plugins"], enable_loader_override=False):
    from tests.plugins.archive_promise import check

# In memory where that is possible: every run writes files.
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None


def one(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        check(data, Path(folder))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
