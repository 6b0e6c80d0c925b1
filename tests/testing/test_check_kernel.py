"""`check_kernel` draws configurations, finds what is wrong, and shows the smallest."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsmith import PluginRegistry
from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins.places import builtin_folder
from brainsmith.testing import CaseResult, KernelCase, WrongElement, check_kernel
from brainsmith.testing.finding import find
from brainsmith.testing.kernel_checks import _drawn
from brainsmith.testing.simulating import Bench
from tests.testing.conftest import Made

CASE = KernelCase(
    dims={"N": 1, "M": 4, "K": 4}, dtypes={"x": "UINT4", "w": "INT4", "y": "INT10"},
    folding={"PE": 2, "SIMD": 2}, statics={"w": np.arange(-8, 8).reshape(4, 4)},
)  # fmt: skip


def failure_of(kernel: str | type, **options: object) -> str:
    with pytest.raises(AssertionError) as caught:
        check_kernel(kernel, **options)  # type: ignore[arg-type]
    return str(caught.value)


def smallest(text: str) -> dict[str, str]:
    """The facts of the configuration that a message shows."""
    return dict(re.findall(r"(\w+)=(\w+)", text.splitlines()[1]))


def is_small(facts: dict[str, str]) -> bool:
    """Whether there is little more to do than the least that the kernel's constraints allow."""
    return 16 <= math.prod(int(facts[loop]) for loop in "NMK") <= 32


@pytest.mark.slow
def test_a_right_kernel_passes_at_all_that_is_drawn(tiny: Made) -> None:
    results = check_kernel(tiny())
    assert len(results) >= 20
    assert all(result.passed for result in results)
    assert len({tuple(r.case.dims.items()) for r in results}) > 10
    assert len({tuple(r.case.folding.items()) for r in results}) > 10
    assert {r.case.family for r in results} == {"ecp5", "ice40", "xc7"}
    for case in (result.case for result in results):  # the kernel's own constraints
        assert case.dtypes["x"].startswith("UINT") and int(case.dtypes["x"][4:]) in range(2, 9)
        assert np.prod([case.dims[loop] for loop in "NMK"]) >= 16


@pytest.mark.slow
def test_the_same_seed_draws_the_same(tiny: Made) -> None:
    kernel = tiny()
    first, again = (check_kernel(kernel, count=4, seed=7) for _ in range(2))
    assert [str(result.case) for result in first] == [str(result.case) for result in again]
    other = check_kernel(kernel, count=4, seed=8)
    assert [str(result.case) for result in first] != [str(result.case) for result in other]


@pytest.mark.slow
def test_a_wrong_sign_in_one_lane_is_found_where_it_is(tiny: Made) -> None:
    wrong = tiny(("$signed({1'b0, x[lane", "$signed({lane == 1, x[lane"))
    text = failure_of(wrong)
    facts = smallest(text)
    assert int(facts["SIMD"]) in (2, 3) and facts["PE"] == "1" and is_small(facts)
    assert re.search(
        r"first y, frame \d, element \d+ \(N=0 M=\d+: beat \d+, lane 0\): -?\d+, exp", text
    )
    assert "check_kernel(" in text and "statics={'w': np.array(" in text


MANY = replace(
    CASE, dims={"N": 1, "M": 8, "K": 16}, dtypes={"x": "UINT4", "w": "INT4", "y": "INT12"},
    statics={"w": np.arange(128).reshape(16, 8) % 16 - 8},
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("cases", [None, [MANY]], ids=["drawn", "of many weights"])
def test_the_call_that_a_failure_prints_fails_in_the_same_way(
    cases: list[KernelCase] | None, tiny: Made
) -> None:
    wrong = tiny(("sum = k_q == 0 ? '0 : acc_q;", "sum = acc_q;"))
    text = failure_of(wrong, cases=cases, seed=3)
    with pytest.raises(AssertionError) as caught:
        exec(text.partition("again:\n")[2].partition("for a waveform")[0], {})
    assert str(caught.value).splitlines()[1:4] == text.splitlines()[1:4]
    assert ("np.load(" in text) is (cases is not None)


@pytest.mark.slow
def test_a_name_is_found_again_where_the_registry_was_given(tiny: Made, tmp_path: Path) -> None:
    tiny(("sum = k_q == 0 ? '0 : acc_q;", "sum = acc_q;"))
    registry = PluginRegistry([tmp_path / "tiny0", builtin_folder()])
    text = failure_of("TinyMatMul", cases=[CASE], registry=registry)
    with pytest.raises(AssertionError, match="is wrong in"):
        exec(text.partition("again:\n")[2].partition("for a waveform")[0], {})


@pytest.mark.parametrize(
    "constraint", ['"max_size": 16', '"max_y_bits": 9'], ids=["of sizes", "of the result"]
)
def test_as_many_are_drawn_as_are_wanted(constraint: str, tiny: Made) -> None:
    component, registry = find("kernels", tiny(('"min_size": 16', constraint)), None)
    drawn = _drawn(Bench.of(component, registry), 24, 0)
    assert len({plan.key for plan, _ in drawn}) == 24


def test_fewer_than_are_wanted_are_told(tiny: Made) -> None:
    component, registry = find("kernels", tiny(('"min_size": 16', '"max_y_bits": 5')), None)
    with pytest.warns(UserWarning, match=r"only \d+ of \d+ configurations that were drawn keep"):
        assert _drawn(Bench.of(component, registry), 24, 0)


@pytest.mark.slow
def test_a_stall_on_back_pressure_is_found(tiny: Made) -> None:
    # It overwrites a beat that nobody has taken.
    wrong = tiny(
        ("free            = !last || !m_axis_y_tvalid || m_axis_y_tready", "free            = 1'b1")
    )
    text = failure_of(wrong)
    assert "only while ports stall" in text or "changed tdata while tvalid waited" in text


@pytest.mark.slow
def test_one_beat_too_few_is_found(tiny: Made) -> None:
    wrong = tiny(
        (
            "step && last) m_axis_y_tvalid",
            "step && last && (FOLDS_M == 1 || m_q != 0)) m_axis_y_tvalid",
        )
    )
    text = failure_of(wrong)
    facts = smallest(text)
    assert "hangs" in text and re.search(r"\.y: beat \d+ of \d+ did not come", text)
    assert int(facts["M"]) > int(facts["PE"]) == 1 and is_small(facts)


@pytest.mark.slow
def test_a_wrong_model_of_the_latency_is_found(tiny: Made) -> None:
    text = failure_of(tiny(("return [1 for config", "return [2 for config")))
    assert re.search(r"latency \d+ cycles, its model says \d+", text)


@pytest.mark.slow
def test_a_waveform_is_written_of_what_fails(tiny: Made, tmp_path: Path) -> None:
    wave = tmp_path / "waves" / "case.fst"
    wrong = tiny(("sum = k_q == 0 ? '0 : acc_q;", "sum = acc_q;"))
    text = failure_of(wrong, cases=[CASE], wave=wave)
    assert f"its waveform: {wave}" in text
    assert wave.stat().st_size > 200
    assert wave.read_bytes()[:1] == b"\0"  # the header block of an FST file


@pytest.mark.slow
def test_cases_of_ones_own_are_run_as_they_are(tiny: Made) -> None:
    (result,) = check_kernel(tiny(), [CASE])
    assert result.case is CASE and result.interval == 4 and result.latency > 0


@pytest.mark.slow
def test_a_name_of_the_registry_is_as_good_as_a_class() -> None:
    assert all(result.passed for result in check_kernel("LabelSelect", count=6))


def test_constraints_that_nothing_keeps_are_an_error(tiny: Made) -> None:
    impossible = tiny(('"INT2", "INT3"', '"FLOAT32"'), ("min_size", "min_w_bits"))
    with pytest.raises(PluginError, match="no integer datatype for the port 'w'"):
        check_kernel(impossible)


def test_a_class_outside_of_any_plugin_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="lies in no plugin"):
        check_kernel(CaseResult)


def test_a_class_that_the_manifest_does_not_list_is_an_error(tiny: Made) -> None:
    kernel = tiny()
    kernel.__qualname__ = "Other"
    with pytest.raises(ConfigurationError, match="lists no kernel with the class 'Other'"):
        check_kernel(kernel)


def test_a_result_is_one_line_without_the_weights() -> None:
    first = WrongElement("y", 1, 3, 5, 6, {"N": 0, "M": 3}, beat=1, lane=1)
    wrong = CaseResult(CASE, 2, first, 9, 8, 12, 12)
    assert repr(wrong) == (
        "<N=1 M=4 K=4 x=UINT4 w=INT4 y=INT10 PE=2 SIMD=2, ecp5: 2 wrong elements; "
        "first y, frame 1, element 3 (N=0 M=3: beat 1, lane 1): 5, expected 6; "
        "interval 9 cycles, its model says 8>"
    )
    varies = CaseResult(CASE, interval=None, expected_interval=8)
    assert varies.failures() == ["interval varies, its model says 8"]
    assert (
        repr(CaseResult(CASE)) == "<N=1 M=4 K=4 x=UINT4 w=INT4 y=INT10 PE=2 SIMD=2, ecp5: passed>"
    )
