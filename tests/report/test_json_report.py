"""report.json keeps the keys that other programs read."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from brainsmith.errors import StorageError
from brainsmith.report.json_report import dumps, to_json, write_json
from brainsmith.report.records import BuildReport, Metric, SandboxRecord, VerificationRecord


def test_the_documented_keys_are_there(tfc: BuildReport) -> None:
    value = json.loads(dumps(to_json(tfc)))
    documented = ["success", "model", "target", "verification", "metrics", "layers", "host_nodes"]
    assert list(value)[:8] == [*documented, "artifacts"]
    assert set(value["metrics"]) >= {
        "initiation_interval", "latency_cycles", "throughput_fps", "fmax_mhz",
        "LUT", "FF", "DSP", "BRAM",
    }  # fmt: skip
    assert value["verification"]["agreement"]["share"] == 1.0
    assert value["metrics"]["initiation_interval"] == {
        "value": 64, "unit": "cycles", "source": "measured",
    }  # fmt: skip
    assert list(value["layers"][1])[:7] == [
        "node", "operation", "kernel", "backend", "folding", "cycles", "resources",
    ]  # fmt: skip
    assert value["host_nodes"][0]["reason"] == "its input is not an integer"


def test_what_was_not_placed_is_null_with_its_reason(tfc: BuildReport) -> None:
    metrics = {**tfc.metrics, "fmax_mhz": Metric(None, "MHz", "measured", "nothing was placed")}
    value = json.loads(dumps(to_json(dataclasses.replace(tfc, metrics=metrics))))
    assert value["metrics"]["fmax_mhz"]["value"] is None
    assert value["metrics"]["fmax_mhz"]["reason"] == "nothing was placed"


def test_nothing_verified_is_null_not_false(tfc: BuildReport) -> None:
    nothing = VerificationRecord(None, 0, 0, None, "none")
    value = to_json(dataclasses.replace(tfc, verification=nothing))
    assert value["verification"]["bit_exact"] is None
    assert value["verification"]["scope"] == "none"


def test_numpy_scalars_and_nan_become_plain_json() -> None:
    text = dumps({"a": np.int64(3), "b": np.float32(0.5), "c": math.nan, "d": (True, None)})
    assert json.loads(text) == {"a": 3, "b": 0.5, "c": None, "d": [True, None]}


def test_writing_replaces_the_file_and_leaves_nothing_else(
    tfc: BuildReport, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "report.json"
    write_json(tfc, path)
    write_json(tfc, path)
    assert json.loads(path.read_text())["model"] == "tfc-w1a1.onnx"
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_a_file_in_the_way_is_a_storage_error(tfc: BuildReport, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match=r"report\.json"):
        write_json(tfc, tmp_path / "out" / "report.json")


def test_the_target_interval_and_the_bottleneck(tfc: BuildReport) -> None:
    assert tfc.target_interval == 66
    assert tfc.bottleneck is not None
    assert tfc.bottleneck.node == "MatMul_1"
    assert len(tfc.bottlenecks) == 6


def test_where_all_layers_are_alike_none_is_the_bottleneck(tfc: BuildReport) -> None:
    alike = tuple(dataclasses.replace(layer, cycles=1) for layer in tfc.layers)
    assert dataclasses.replace(tfc, layers=alike).bottlenecks == frozenset()
    alone = dataclasses.replace(tfc, layers=tfc.layers[:1])
    assert alone.bottlenecks == {"Thresholding_0"}


def test_what_plugins_did_is_there(tfc: BuildReport, sandbox: SandboxRecord) -> None:
    value = json.loads(dumps(to_json(dataclasses.replace(tfc, sandbox=sandbox))))["sandbox"]
    assert (value["level"], value["required"], value["lowered"]) == ("L1", "L3", True)
    assert value["plugins"][1] == {
        "plugin": "lens", "calls": 1200, "seconds": 3.2, "cpu_seconds": 2.9,
        "peak_memory": 3 << 29, "refused": ["openat(/etc/<passwd>)"],
        "skipped": ["Fold: it used up its limit of 60 s"],
    }  # fmt: skip


def test_without_a_plugin_the_sandbox_is_null(tfc: BuildReport) -> None:
    assert json.loads(dumps(to_json(tfc)))["sandbox"] is None
