"""The summary on the console."""

from __future__ import annotations

import dataclasses
import io

from rich.console import Console

from brainsmith.report.console import MOST_LAYERS, print_summary
from brainsmith.report.formatting import THIN
from brainsmith.report.records import BuildReport, VerificationRecord


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
