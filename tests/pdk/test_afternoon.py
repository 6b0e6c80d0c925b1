"""From nothing to a package that somebody else uses: every type of plugin, every operation."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from brainsmith.pdk.answers import OPERATIONS
from tests.pdk.conftest import Run

NAME, CLASS = "my-own-plugin", "MyOwnPlugin"
KINDS = [("kernel", operation) for operation in OPERATIONS]
KINDS += [(type, "") for type in ("transform", "operation", "target", "strategy")]
SAVE = "import runpy; runpy.run_path(sys.argv[1])['network']().save('model.onnx')"
STRATEGIES = {
    "kernel": f"name: mine\nextends: balanced\nkernels:\n  - name: {CLASS}\n",
    "operation": f"name: mine\nkernels:\n  - name: {CLASS}Kernel\n",
    "transform": f"name: mine\nextends: balanced\ntransforms:\n  - name: {CLASS}\n",
}


@pytest.mark.slow
@pytest.mark.parametrize(("type", "operation"), KINDS)
def test_create_test_package_install_use_uninstall(
    type: str, operation: str, run: Run, brainsmith: Run, tmp_path: Path
) -> None:
    more = ["--operation", operation] if operation else []
    brainsmith("create-plugin", NAME, "--type", type, *more, "--author", "Ada", "--defaults")
    folder = tmp_path / NAME
    python = sys.executable
    run(python, "-m", "mypy", "--cache-dir", str(tmp_path / "mypy"), cwd=folder)
    run(python, "-m", "ruff", "format", "--check", "--no-cache", ".", cwd=folder)
    assert run(python, "examples/example_usage.py", cwd=folder).stdout
    checked = json.loads(brainsmith("develop", str(folder), "--json").stdout)["checks"]
    assert {check["name"]: check["state"] for check in checked} == {
        "load": "passed",
        "python": "passed",
        "hdl": "passed" if type in ("kernel", "operation") else "skipped",
        "tests": "passed",
    }
    package = json.loads(brainsmith("package", str(folder), "--json").stdout)["package"]
    model = the_model(type, folder, run, brainsmith, tmp_path)
    moved = tmp_path / "elsewhere"
    folder.rename(moved)  # what was installed does not need it
    brainsmith("install", str(moved / Path(package).relative_to(folder)))
    report = json.loads(brainsmith("compile", *used(type, model, tmp_path)).stdout)
    assert report["success"] and report["verification"]["bit_exact"]
    kernels = {layer["kernel"] for layer in report["layers"]}
    if type in ("kernel", "operation"):
        assert kernels == {f"{NAME}:{CLASS}{'Kernel' * (type == 'operation')}"}
    elif type == "transform":
        assert NAME in json.dumps(report["sandbox"])
    elif type == "target":
        assert report["target"] == NAME
    brainsmith("uninstall", NAME)
    brainsmith("info", NAME, expect=4)


def the_model(type: str, folder: Path, run: Run, brainsmith: Run, tmp_path: Path) -> Path:
    """The network of the plugin's own example; that of another one for a transform."""
    example = folder / "examples" / "example_usage.py"
    if type == "transform":
        brainsmith("create-plugin", "other", "--operation", "matmul", "--defaults")
        example = tmp_path / "other" / "examples" / "example_usage.py"
    run(sys.executable, "-c", f"import sys; {SAVE}", str(example))
    return tmp_path / "model.onnx"


def used(type: str, model: Path, tmp_path: Path) -> list[str]:
    """The command line of a compile that uses the plugin."""
    words = [str(model), "--no-synthesize", "--json"]
    if type in STRATEGIES:
        (tmp_path / "mine.yaml").write_text(STRATEGIES[type])
        return [*words, "--strategy", "mine.yaml"]
    return [*words, f"--{type}", NAME]


def test_every_question_has_an_option(brainsmith: Run) -> None:
    text = brainsmith("create-plugin", "--help").stdout
    for option in ("--type", "--operation", "--author", "--license", "--description"):
        assert re.search(rf"^  {option} ", text, re.M)
