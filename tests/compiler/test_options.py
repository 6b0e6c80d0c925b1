"""Options that contradict each other, or would be without effect, are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsmith.compiler import CompileOptions
from brainsmith.errors import ConfigurationError

X, Y = Path("x.npy"), Path("y.npy")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"clock_mhz": 0}, "--clock-mhz"),
        ({"clock_mhz": float("inf")}, "--clock-mhz"),
        ({"target_fps": -1.0}, "--target-fps"),
        ({"target_fps": float("nan")}, "--target-fps"),
        ({"seed": -1}, "seed"),
        ({"place": True, "synthesize": False}, "--place"),
        ({"verify_netlist": True, "synthesize": False}, "--verify-netlist"),
        ({"verify_netlist": True, "verify": False}, "--verify-netlist"),
        ({"verify_output": Y}, "--verify-output"),
        ({"verify": "layer"}, "--verify"),
        ({"verify": "none", "verify_input": X}, "--verify-input"),
        ({"fit": True, "target_fps": 1.0}, "--fit"),
        ({"verify_input": X, "verify": False}, "--verify-input"),
    ],
)
def test_options_that_do_not_fit_are_an_error(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CompileOptions(**fields)
    assert caught.value.where == where
    assert str(caught.value).startswith(where.removeprefix("--").replace("-", "_"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"synthesize": False, "verify": False},
        {"verify": "layers", "verify_input": X, "fit": True},
        {"place": False, "synthesize": False, "verify_netlist": False},
        {"verify_input": X, "verify_output": Y, "clock_mhz": 1e-3},
    ],
)
def test_options_that_fit_are_taken(fields: dict[str, Any]) -> None:
    options = CompileOptions(**fields)
    assert all(getattr(options, name) == value for name, value in fields.items())


def test_a_level_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="unknown sandbox level 'L9'") as caught:
        CompileOptions(sandbox="L9")
    assert caught.value.where == "--sandbox"
    assert CompileOptions(sandbox="L4").sandbox == "L4"
