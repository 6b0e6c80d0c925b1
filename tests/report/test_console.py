"""The summary on the console."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from brainsmith.report.console import MOST_LAYERS, print_summary
from brainsmith.report.formatting import THIN
from brainsmith.report.records import (
    AgreementRecord,
    BuildReport,
    CheckRecord,
    HostRecord,
    SandboxRecord,
    VerificationRecord,
)


def printed(report: BuildReport) -> str:
    stream = io.StringIO()
    print_summary(report, Console(file=stream, width=160))
    return stream.getvalue().replace(THIN, " ")


def test_the_summary_says_what_was_built_and_whether_it_is_right(tfc: BuildReport) -> None:
    text = printed(tfc)
    for shown in ("tfc-w1a1.onnx on ecp5-85k at 100 MHz", "PE 16 · SIMD 49", "bottleneck",
                  "Bit-exact", "1 562 500 1/s", "measured, 3.5 % of 83 640",
                  "out/report.html",
                  "on the host", "hint: --shape", "100 % of outputs equal"):  # fmt: skip
        assert shown in text


@pytest.mark.parametrize(
    ("agreement", "ambiguous", "said"),
    [
        (AgreementRecord(0.325, 1e-6, 1.0), 0,
         "100 % of outputs agree with the original model's within float32 rounding "
         "(32.5 % the same number, at most 1e-06 off)"),
        (AgreementRecord(0.5, 0.18, 0.99999), 3,
         "99.99 % of outputs agree with the original model's within float32 rounding "
         "(50 % the same number, at most 0.18 off): 3 of 90 codes lie where float32 is ambiguous"),
    ],
)  # fmt: skip
def test_rounding_is_told_from_other_differences(
    tfc: BuildReport, agreement: AgreementRecord, ambiguous: int, said: str
) -> None:
    faithful = {"codes": 90, "ambiguous": ambiguous}
    record = dataclasses.replace(tfc.verification, agreement=agreement, faithful=faithful)
    text = printed(dataclasses.replace(tfc, verification=record))
    assert said in " ".join(text.split())


def test_the_failed_check_of_an_exact_design_is_named(tfc: BuildReport) -> None:
    wrong = CheckRecord("gives the expected outputs", False, "3 of 4 outputs equal")
    record = dataclasses.replace(tfc.verification, checks=(wrong,))
    text = printed(dataclasses.replace(tfc, verification=record))
    assert "a check failed  The failed check: “gives the expected outputs”." in text


def test_pieces_at_the_hardware_s_edges_share_a_line(tfc: BuildReport) -> None:
    pieces = tuple(HostRecord(f"Mul_{i}", "it scales", None, "output") for i in range(6))
    text = printed(dataclasses.replace(tfc, host_nodes=pieces))
    assert "on the host  scaling the output (Mul_0, Mul_1, Mul_2, Mul_3 and 2 more)" in text


def test_the_asked_speed_and_the_cache_are_told(tfc: BuildReport) -> None:
    text = " ".join(printed(tfc).split())
    assert "1 500 000 asked for: reached" in text
    assert "from the cache: synthesize" in text


def test_markup_in_a_name_is_printed_as_it_is(tfc: BuildReport) -> None:
    layers = (dataclasses.replace(tfc.layers[0], node="[red]a[/red]"), *tfc.layers[1:])
    text = printed(dataclasses.replace(tfc, layers=layers, model="[bold]m.onnx"))
    assert "[red]a[/red]" in text
    assert "[bold]m.onnx" in text


def test_a_failed_verification_is_not_called_exact(tfc: BuildReport) -> None:
    failed = VerificationRecord(False, 8, 3, None, "network")
    text = printed(dataclasses.replace(tfc, verification=failed))
    assert "Not exact" in text
    assert "3 elements of 8 frames differ" in text


def test_of_many_layers_the_slowest_are_shown(tfc: BuildReport) -> None:
    layers = tuple(
        dataclasses.replace(tfc.layers[1], node=f"layer_{i}", cycles=i) for i in range(200)
    )
    text = printed(dataclasses.replace(tfc, layers=layers))
    assert "layer_199" in text
    assert "layer_5 " not in text
    assert f"and {200 - MOST_LAYERS} faster layers" in text


def test_a_guess_is_told_from_an_estimate(tfc: BuildReport) -> None:
    estimate = dataclasses.replace(tfc.layers[0], resources_source="estimated")
    guess = dataclasses.replace(estimate, resources_reason="the kernel has no model")
    figure = printed(dataclasses.replace(tfc, layers=(estimate,)))
    assert "~" in figure and "guess" not in figure
    assert "guess" in printed(dataclasses.replace(tfc, layers=(guess,)))


def test_what_plugins_did_is_told(tfc: BuildReport, sandbox: SandboxRecord) -> None:
    text = printed(dataclasses.replace(tfc, sandbox=sandbox))
    for shown in (
        "confined at L1: a process of its own",
        "asked for this level by name; L3 would be required",
        "calm  1 call, 4.2 ms, 105 MiB",
        "lens  1 200 calls, 3.2 s, 1.5 GiB",
        "refused  openat(/etc/<passwd>)",
        "left out  Fold: it used up its limit of 60 s",
    ):
        assert shown in text


def test_a_lowered_level_is_told_where_no_plugin_took_part(
    tfc: BuildReport, sandbox: SandboxRecord
) -> None:
    alone = dataclasses.replace(sandbox, plugins=())
    assert "No plugin was called in a process of its own" in printed(
        dataclasses.replace(tfc, sandbox=alone)
    )


def test_without_a_plugin_nothing_is_told(tfc: BuildReport) -> None:
    assert "confined" not in printed(tfc)
