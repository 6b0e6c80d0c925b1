"""The small matrix-vector unit of CONTRIBUTING.md as a plugin, changed where a test asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from brainsmith import PluginRegistry
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.sync import sync

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
TFC = ROOT.parent / "shared" / "models" / "tfc-w1a1" / "model.onnx"
Replacement = tuple[str, str]
Tiny = Callable[..., PluginRegistry]


def write_tiny(folder: Path, *replacements: Replacement) -> Path:
    """The plugin's files with replacements, each of which must be found; returns the folder."""
    folder.mkdir(parents=True)
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\w+ file=brainsmith_plugins/tiny/(\S+)\n(.*?)```", page, re.S)
    whole = "".join(text for _, text in blocks)
    for old, _ in replacements:
        assert old in whole, old
    for name, text in blocks:
        for old, new in replacements:
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    sync(folder).write()
    return folder


def registry_of(*folders: Path) -> PluginRegistry:
    """The plugins in some folders, and the built-in one."""
    return PluginRegistry([*folders, builtin_folder()], distributions=False, cached=False)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Makes the plugin with replacements; gives a registry that has it besides the built-in one."""

    def make(*replacements: Replacement) -> PluginRegistry:
        folder = write_tiny(tmp_path / "plugins" / "tiny", *replacements)
        return registry_of(folder.parent)

    return make


# A lane of the last processing element takes its product away.
WRONG_SIGN = (
    "sum[pe*Y_BITS+:Y_BITS] += Y_BITS'(",
    "sum[pe*Y_BITS+:Y_BITS] += Y_BITS'((pe == PE-1 && lane == 0 ? -1 : 1) * ",
)
# A pause after every output beat, which its model of the interval knows of.
SLOW = (
    (
        "assign free            = !last || !m_axis_y_tvalid || m_axis_y_tready;",
        "assign free            = !m_axis_y_tvalid;",
    ),
    (
        "return [config.cycles for config in configs]",
        "return [config.cycles + config.dims['M'] // config.pe for config in configs]",
    ),
    (
        "return [1 for config in configs]",
        "return [config.dims['M'] // config.pe for config in configs]",
    ),
)

# The same unit for inputs and weights of -1 and 1.
BIPOLAR = (
    (
        '["INT2", "INT3", "INT4", "INT5", "INT6", "INT7", "INT8"]',
        '["BIPOLAR"]',
    ),
    (
        '["UINT2", "UINT3", "UINT4", "UINT5", "UINT6", "UINT7", "UINT8"]',
        '["BIPOLAR"]',
    ),
    ('config.simd, config.dtypes["w"].bits)', "config.simd, 2)"),
    ('"W_BITS": config.dtypes["w"].bits', '"W_BITS": 2'),
    ("$signed({1'b0, x[lane*X_BITS+:X_BITS]})", "(x[lane] ? 2'sd1 : -2'sd1)"),
)
