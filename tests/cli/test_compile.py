"""`brainsmith compile`: the real thing, from the file to the report, and what can go wrong."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import qonnx
from onnx import numpy_helper

if TYPE_CHECKING:
    from conftest import Brainsmith

ROOT = Path(__file__).parent.parent.parent
DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
MNIST = Path(qonnx.__path__[0]) / "data/onnx/mnist-conv/model.onnx"


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_digits_is_compiled_verified_and_reported(brainsmith: Brainsmith, tmp_path: Path) -> None:
    ran = brainsmith(
        "compile", MODEL, "--no-place", "--target-fps", "200000", "--output", "out", "--json",
        "--verify-input", DIGITS / "images.npy", "--verify-output", DIGITS / "labels.npy",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    report = ran.json
    assert report["success"] is True
    assert report["verification"]["bit_exact"] is True
    assert report["verification"]["vectors"] >= 200
    agreement = report["verification"]["agreement"]
    assert agreement == {"share": 1.0, "largest_difference": 0.0, "within_rounding": 1.0}
    assert report["metrics"]["fmax_mhz"]["value"] is None
    assert report["metrics"]["fmax_mhz"]["reason"]
    assert report["metrics"]["throughput_fps"]["source"] == "estimated"
    assert report["metrics"]["initiation_interval"]["source"] == "measured"
    assert report["metrics"]["LUT"]["value"] > 0
    assert report["host_nodes"] == []
    for name, path in report["artifacts"].items():
        assert (tmp_path / path).exists(), name
    assert (tmp_path / "out" / "report.json").exists()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Bit-exact" in page
    assert "s] " in ran.err and "\x1b" not in ran.err


@pytest.mark.slow
def test_people_get_a_summary(brainsmith: Brainsmith) -> None:
    ran = brainsmith(
        "compile", MODEL, "--no-synthesize", "--target-fps", "200000", "--output", "out"
    )
    assert ran.code == 0, ran.err
    for shown in ("digits.onnx on ecp5-85k", "bottleneck", "Bit-exact", "report.html"):
        assert shown in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["missing.onnx"], 3, "missing.onnx"),
        ([__file__], 3, "ONNX"),
        ([MODEL, "--target", "ecp5-58k"], 6, "ecp5-85k"),
        ([MODEL, "--strategy", "performence"], 4, "performance"),
        ([MODEL, "--strategy", "missing.yaml"], 4, "missing.yaml"),
        ([MODEL, "--folding", "missing.yaml"], 4, "missing.yaml"),
        ([MODEL, "--target-fps", "1e12"], 6, "frames per second"),
    ],
)
def test_bad_input_ends_with_its_code_and_leaves_nothing(
    brainsmith: Brainsmith, tmp_path: Path, arguments: list[str], code: int, named: str
) -> None:
    ran = brainsmith("compile", *arguments, "--json", "--output", "out")
    assert ran.code == code, ran.err
    error = ran.json["error"]
    assert error["exit_code"] == code
    assert named in f"{error['what']} {error['where']} {error['hint']}"
    assert "Traceback" not in ran.err
    assert leftovers(tmp_path) == []


def test_a_float_model_with_bad_calibration_data_leaves_nothing(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    np.save(tmp_path / "frames.npy", np.zeros((4, 28, 28, 1), np.float32))
    ran = brainsmith(
        "compile", MNIST, "--quantize", "4", "--calibrate", "frames.npy", "--json",
        "--output", "out",
    )  # fmt: skip
    assert ran.code == 4, ran.err
    assert "(frames, 1, 28, 28)" in ran.json["error"]["hint"]
    assert leftovers(tmp_path) == ["frames.npy"]


def _truncated(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString()[:5_000])


def _dynamic(model: onnx.ModelProto, path: Path) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.save(model, path)


def _with_nan(model: onnx.ModelProto, path: Path) -> None:
    weight = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 2)
    values = numpy_helper.to_array(weight).copy()
    values[0, 0] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    onnx.save(model, path)


def _without_its_data(model: onnx.ModelProto, path: Path) -> None:
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    (path.parent / "w.bin").unlink()


def _not_monotone(model: onnx.ModelProto, path: Path) -> None:
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Abs"
    onnx.save(model, path)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_truncated, "not a whole ONNX file"),
        (_dynamic, "--shape pixels=1,64"),
        (_with_nan, "NaN"),
        (_without_its_data, "w.bin"),
        (_not_monotone, "not monotone"),
    ],
)
def test_a_bad_model_is_an_error_of_the_model_and_leaves_nothing(
    brainsmith: Brainsmith,
    tmp_path: Path,
    spoil: Callable[[onnx.ModelProto, Path], None],
    named: str,
) -> None:
    spoil(onnx.load(MODEL), tmp_path / "bad.onnx")
    ran = brainsmith("compile", "bad.onnx", "--json", "--output", "out")
    assert ran.code == 3, ran.err
    error = ran.json["error"]
    assert named in f"{error['what']} {error['where']} {error['hint']}"
    assert leftovers(tmp_path) == ["bad.onnx"]


def test_a_device_that_is_too_small_shows_what_is_needed_and_there(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    small = ["--target", "ice40-up5k", "--clock-mhz", "24", "--target-fps", "150000"]
    ran = brainsmith("compile", MODEL, *small, "--output", "out")
    assert ran.code == 6, ran.err
    assert re.search(r"LUT +\d+ needed \(estimated\) +5280 there +<- \d+ too many, \d+ %", ran.err)
    assert leftovers(tmp_path) == []


def test_the_traceback_is_there_where_it_is_asked_for(brainsmith: Brainsmith) -> None:
    ran = brainsmith("compile", "missing.onnx", "--debug")
    assert ran.code == 3
    assert "Traceback" in ran.err


def test_no_c_compiler_says_what_to_install(brainsmith: Brainsmith, tmp_path: Path) -> None:
    env = {"PATH": "/nonexistent", "CXX": "", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ran = brainsmith("compile", MODEL, "--json", "--output", "out", env=env)
    assert ran.code == 7, ran.err
    assert "g++" in str(ran.json["error"])
    assert leftovers(tmp_path) == ["cache"], "found before anything was built"
    assert leftovers(tmp_path / "cache" / "brainsmith") == ["plugins"], "nothing was built"


def start(*arguments: str | Path, folder: Path, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "brainsmith", "compile", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_the_log_alone(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    (tmp_path / "work").mkdir()
    process = start(MODEL, "--output", "out", folder=tmp_path / "work", cache=tmp_path / "cache")
    assert process.stderr is not None
    for line in process.stderr:
        if "simulate" in line:
            break
    process.send_signal(signum)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert leftovers(tmp_path / "work") == ["out.failed.log"]
    assert "link of" not in (tmp_path / "work" / "out.failed.log").read_text(), "it went on"


def test_a_disk_that_fills_up_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-m", "brainsmith", "compile", MODEL, "--output", "out"]
    done = subprocess.run(
        [*command, "--no-verify", "--no-synthesize"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        # No file may be larger than this: writing fails where the disk would be full.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 9, done.stderr
    assert leftovers(tmp_path / "work") == []
