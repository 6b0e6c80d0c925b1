"""A build on its board, as people meet it: the whole board in simulation behind a device."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import ROOT, Brainsmith

DIGITS = ROOT / "examples" / "digits"
FRAMES = 24


@dataclass(frozen=True)
class Running:
    """A board in simulation, and the folder with its build."""

    port: str
    build: Path
    folder: Path
    process: subprocess.Popen[str]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "brainsmith", *map(str, words)]


ENV = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits model for a board, as far as a simulation needs it."""
    folder = tmp_path_factory.mktemp("boards") / "digits"
    words = command(
        "compile", DIGITS / "digits.onnx", "--target", "ulx3s-85f", "--target-fps", "200000",
        "--no-verify", "--no-synthesize", "--output", folder,
    )  # fmt: skip
    subprocess.run(words, env=ENV, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def running(build: Path) -> Iterator[Running]:
    """Its board, started by `brainsmith simulate-board`."""
    folder = build.parent
    np.save(folder / "x.npy", np.load(DIGITS / "images.npy")[:FRAMES])
    with subprocess.Popen(
        command("simulate-board", build, "--json"),
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield Running(said["port"], build, folder, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


@pytest.mark.slow
def test_digits_are_read_through_the_board(running: Running, brainsmith: Brainsmith) -> None:
    ran = brainsmith(
        "run", running.build, "--port", running.port, "--input", running.folder / "x.npy",
        "--output", running.folder / "y.npy", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    said = ran.json
    assert (said["frames"], said["resent"], said["bad_frames"]) == (FRAMES, 0, 0)
    assert said["frames_per_second"] > 0
    # What the simulation of the accelerator alone measures, and the cycle of the first beat.
    assert said["cycles"] == 1092 + 1
    record = json.loads((running.build / "board.json").read_text())
    assert said["digest"] == record["digest"]
    labels = np.load(running.folder / "y.npy").ravel()
    np.testing.assert_array_equal(labels, np.load(DIGITS / "labels.npy").ravel()[:FRAMES])


@pytest.mark.slow
def test_another_bitstream_is_refused(
    running: Running, brainsmith: Brainsmith, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in running.build.iterdir():
        (other / path.name).symlink_to(path)
    record = json.loads((running.build / "board.json").read_text())
    (other / "board.json").unlink()
    (other / "board.json").write_text(json.dumps({**record, "digest": "ab" * 16}))
    x = running.folder / "x.npy"
    ran = brainsmith("run", other, "--port", running.port, "--input", x, "--json")
    assert ran.code == 11
    assert "another bitstream" in ran.json["error"]["what"]
    assert "brainsmith flash" in ran.json["error"]["hint"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((3, 65), np.float32), "65"),
        (np.full((2, 64), 0.5, np.float32), "not integer"),
        (np.full((2, 64), 40, np.float32), "outside of UINT5"),
    ],
)
def test_inputs_that_do_not_fit(
    running: Running, brainsmith: Brainsmith, tmp_path: Path, frames: np.ndarray, message: str
) -> None:
    np.save(tmp_path / "bad.npy", frames)
    words = ("--port", running.port, "--input", tmp_path / "bad.npy", "--json")
    ran = brainsmith("run", running.build, *words)
    assert ran.code == 4
    assert message in json.dumps(ran.json["error"])


@pytest.mark.slow
def test_a_device_in_use(running: Running, brainsmith: Brainsmith) -> None:
    from brainsmith.board.line import open_port

    with open_port(running.port, 3_000_000):
        words = ("--port", running.port, "--input", running.folder / "x.npy", "--json")
        ran = brainsmith("run", running.build, *words)
    assert ran.code == 11
    assert "in use" in ran.json["error"]["what"]


def test_no_such_device(build: Path, brainsmith: Brainsmith, tmp_path: Path) -> None:
    ran = brainsmith("run", build, "--port", "/dev/ttyNONE9", "--input", "x.npy", "--json")
    assert ran.code == 11
    assert "no such device" in ran.json["error"]["what"]


def test_a_folder_that_is_no_build_for_a_board(brainsmith: Brainsmith, tmp_path: Path) -> None:
    ran = brainsmith("run", tmp_path, "--port", "/dev/null", "--input", "x.npy", "--json")
    assert ran.code == 4
    assert "no build for a board" in ran.json["error"]["what"]


def loader(folder: Path, script: str) -> dict[str, str]:
    """An environment in which openFPGALoader is a script."""
    path = folder / "openFPGALoader"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def with_bitstream(build: Path, folder: Path) -> Path:
    """The build as if it had been placed: what is loaded here is loaded onto nothing."""
    made = folder / "made"
    made.mkdir()
    record = json.loads((build / "board.json").read_text())
    (made / "board.json").write_text(json.dumps({**record, "bitstream": "digits.bit"}))
    (made / "digits.bit").write_bytes(b"bits")
    return made


def test_flash_without_a_bitstream(build: Path, brainsmith: Brainsmith) -> None:
    ran = brainsmith("flash", build, "--json")
    assert ran.code == 4
    assert "no bitstream" in ran.json["error"]["what"]


def test_flash_without_a_loader_says_what_to_type(
    build: Path, brainsmith: Brainsmith, tmp_path: Path
) -> None:
    made = with_bitstream(build, tmp_path)
    ran = brainsmith("flash", made, "--json", env={"PATH": str(tmp_path)})
    assert ran.code == 7
    assert f"openFPGALoader -b ulx3s {made / 'digits.bit'}" in ran.json["error"]["hint"]


def test_flash_calls_the_loader(build: Path, brainsmith: Brainsmith, tmp_path: Path) -> None:
    made = with_bitstream(build, tmp_path)
    ran = brainsmith("flash", made, env=loader(tmp_path, 'echo "loads $@"'))
    assert ran.code == 0
    assert f"loads -b ulx3s {made / 'digits.bit'}" in ran.out.replace("\n", "")


def test_a_loader_that_fails(build: Path, brainsmith: Brainsmith, tmp_path: Path) -> None:
    made = with_bitstream(build, tmp_path)
    ran = brainsmith("flash", made, "--json", env=loader(tmp_path, "echo no cable; exit 1"))
    assert ran.code == 7
    assert "no cable" in ran.json["error"]["what"]
