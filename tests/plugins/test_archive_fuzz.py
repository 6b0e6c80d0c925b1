"""For any bytes: refused with a PluginError, or unpacked to exactly what zipfile sees."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins import hostile
from tests.plugins.archive_promise import check
from tests.plugins.hostile import Member

ROOT = Path(__file__).parent.parent.parent
RUNS = 20_000

VALID = [
    hostile.package(),
    hostile.package(Member(b"src/kernel.py", b"x = 1\n" * 50, 8), Member(b"hdl/a.sv", b"")),
    hostile.package(*(Member(f"f{i}".encode(), bytes([i]) * i, 8 * (i % 2)) for i in range(8))),
    hostile.package(Member("src/käse.py".encode()), Member(b"a.zip", hostile.package(), 8)),
]
fuzzed = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

numbers = st.sampled_from([0, 1, 5, 6, 8, 20, 33, 0x800, 0xFFFF]) | st.integers(0, 0xFFFF)
overrides = st.dictionaries(
    st.sampled_from(["needed", "flags", "method", "crc", "packed", "size", "time"]),
    numbers,
    max_size=1,
)
names = st.sampled_from([b"a", b"A", b"a/b", b"a/", b"../a", b"/a", b"a\\b", "ä".encode()])
rarely = st.one_of(st.just({}), st.just({}), st.just({}), overrides)
scraps = st.one_of(st.just(b""), st.just(b""), st.just(b""), st.binary(max_size=8))
members = st.builds(
    Member,
    name=names | st.binary(max_size=5),
    data=st.binary(max_size=20),
    method=st.sampled_from([0, 8]),
    mode=st.sampled_from([hostile.REGULAR, hostile.REGULAR, 0, 0o120777]),
    gap=scraps,
    extra=scraps,
    local=rarely,
    central=rarely,
    both=rarely,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid archive after a few cuts, copies, insertions and changed bytes."""
    data = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 50)))
        other = draw(st.integers(0, len(data)))
        piece = draw(
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from([b"PK\5\6", b"PK\1\2", b"PK\3\4", b"PK\6\7", b"\xff" * 4]),
                st.just(bytes(data[other : other + 46])),
            )
        )
        data[start:end] = piece
    return bytes(data)


@fuzzed
@given(mutated())
def test_mutations_of_valid_archives(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(data, Path(folder))


@fuzzed
@given(st.lists(members, max_size=4), scraps, scraps)
def test_archives_with_lies_in_single_fields(
    parts: list[Member], before_directory: bytes, before_end: bytes
) -> None:
    data = hostile.package(*parts, before_directory=before_directory, before_end=before_end)
    with tempfile.TemporaryDirectory() as folder:
        check(data, Path(folder))


@pytest.mark.parametrize("data", VALID)
def test_what_is_mutated_is_accepted(data: bytes, tmp_path: Path) -> None:
    assert check(data, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_a_bounded_run_of_the_fuzzer(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for index, data in enumerate(VALID):
        (seeds / str(index)).write_bytes(data)
    for name, attack in hostile.corpus().items():
        if len(attack.data) < 4096:
            (seeds / name).write_bytes(attack.data)
    done = subprocess.run(
        [sys.executable, "-m", "tests.plugins.fuzz", seeds, f"-runs={RUNS}", "-seed=1",
         "-max_len=4096", f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT / "src")])},
        capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    ran = re.search(r"Done (\d+) runs", done.stderr)
    assert ran is not None and int(ran[1]) >= RUNS, done.stderr[-4000:]
