"""What plugins did in a compile, from the ledger to the report and the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler import CompileOptions, Compiler
from brainsmith.compiler.output import failed_log
from brainsmith.compiler.plugin_calls import sandbox_record
from brainsmith.errors import ConfigurationError, ModelError
from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.record import CallRecord, Ledger, Skipped
from tests.compiler.integer_models import mlp


def call(plugin: str, seconds: float, peak: int, *violations: str) -> CallRecord:
    return CallRecord(plugin, "call", Level.L3, seconds, seconds / 2, peak, violations=violations)


def test_where_no_plugin_took_part_there_is_nothing_to_tell() -> None:
    assert sandbox_record(SandboxSettings()) is None


def test_the_calls_of_each_plugin_are_summed() -> None:
    ledger = Ledger()
    for record in (
        call("lens", 1.0, 200, "socket", "openat(/x)"),
        call("calm", 0.5, 50),
        call("lens", 2.0, 100, "socket"),
    ):
        ledger.add(record)
    ledger.skip(Skipped("lens", "Fold", "it crashed"))
    record = sandbox_record(SandboxSettings(ledger=ledger))
    assert record is not None
    assert (record.level, record.required, record.lowered) == ("L3", "L3", False)
    calm, lens = record.plugins
    assert (calm.plugin, calm.calls, calm.refused) == ("calm", 1, ())
    assert (lens.calls, lens.seconds, lens.cpu_seconds, lens.peak_memory) == (2, 3.0, 1.5, 200)
    assert lens.refused == ("socket", "openat(/x)")
    assert lens.skipped == ("Fold: it crashed",)


def test_a_plugin_all_of_whose_transforms_were_left_out_is_told() -> None:
    ledger = Ledger()
    ledger.skip(Skipped("lens", "Fold", "it was refused"))
    record = sandbox_record(SandboxSettings(ledger=ledger))
    assert record is not None and record.plugins[0].calls == 0


def test_a_lowered_level_is_recorded_even_without_a_plugin(tmp_path: Path) -> None:
    options = CompileOptions(output=tmp_path / "out", synthesize=False, verify=False, sandbox="L1")
    result = Compiler().compile(mlp(tmp_path / "m.onnx"), options=options)
    record = result.report.sandbox
    assert record is not None and record.plugins == ()
    assert (record.level, record.required, record.lowered) == ("L1", "L3", True)


class TestWhatPluginsPrinted:
    @pytest.fixture
    def ledger(self) -> Ledger:
        ledger = Ledger()
        ledger.add(CallRecord("lens", "transform Fold", Level.L3, 0.1, 0.1, 1, "folded 3 nodes"))
        return ledger

    def test_is_in_the_build_s_log(self, tmp_path: Path, ledger: Ledger) -> None:
        options = CompileOptions(output=tmp_path / "out", synthesize=False, verify=False)
        result = Compiler(ledger=ledger).compile(mlp(tmp_path / "m.onnx"), options=options)
        said = "== lens | transform Fold | 0.10 s\n  folded 3 nodes\n"
        assert said in result.artifacts["log"].read_text()

    def test_is_kept_where_the_front_end_fails(self, tmp_path: Path, ledger: Ledger) -> None:
        options = CompileOptions(output=tmp_path / "build/out")
        with pytest.raises(ModelError):
            Compiler(ledger=ledger).compile(tmp_path / "missing.onnx", options=options)
        assert "folded 3 nodes" in failed_log(tmp_path / "build/out").read_text()

    def test_nothing_leaves_nothing(self, tmp_path: Path) -> None:
        options = CompileOptions(output=tmp_path / "build/out")
        with pytest.raises(ModelError):
            Compiler().compile(tmp_path / "missing.onnx", options=options)
        assert list(tmp_path.iterdir()) == []


def test_a_compile_refuses_a_grant_for_nobody(tmp_path: Path) -> None:
    from brainsmith.plugins.grants import Grant

    options = CompileOptions(grants={"nobody": Grant(memory=1)})
    with pytest.raises(ConfigurationError, match="'nobody', which is not there"):
        Compiler().compile(mlp(tmp_path / "m.onnx"), options=options)
