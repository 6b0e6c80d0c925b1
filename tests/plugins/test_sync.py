"""Decorators and manifest agree."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import PluginError, StorageError
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.safe_yaml import parse_yaml
from brainsmith.plugins.sync import Synced, sync

MANIFEST = """\
# My plugin
name: flash-attention-plugin
version: 1.0.0          # as in setup.py

kernels:
  # fast
  - name: FlashAttention     # the one
    module: old.place
    class: OldName
    devices: [sm_90]
    stale: text

tags: [attention]  # words
""".replace("    stale: text\n", "    tags: [stale]\n")
KERNEL = """\
from brainsmith.api import backend, kernel

@kernel(name="FlashAttention", operation_type="attention", version="1.0.0", tags=["fast"])
class FlashAttentionKernel:
    constraints = {"min_sequence_length": 64, "supported_dtypes": ["float16"]}

    @backend("cuda")
    def cuda(self, config): ...
"""
TRANSFORM = """\
from brainsmith.api import requires, transform

@requires("onnx>=1.10")
@transform(name="Quantize", stage="topology_optimization", version="2.1.0")
class Quantize:
    compatible_kernels = ["FlashAttention"]

    def apply(self, model, config): ...
"""
SYNCED = """\
# My plugin
name: flash-attention-plugin
version: 1.0.0          # as in setup.py

kernels:
  # fast
  - name: FlashAttention     # the one
    module: flash.kernel
    class: FlashAttentionKernel
    devices: [sm_90]
    tags: [fast]
    operation: attention
    backends: [cuda]
    datatypes: [float16]
    constraints: {min_sequence_length: 64, supported_dtypes: [float16]}

transforms:
  - name: Quantize
    module: flash.transform
    class: Quantize
    stage: topology_optimization
    version: "2.1.0"
    compatible_kernels: [FlashAttention]
    requires: ["onnx>=1.10"]

tags: [attention]  # words
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brainsmith.yaml").write_text(MANIFEST)
    package = tmp_path / "src" / "flash"
    package.mkdir(parents=True)
    (package / "kernel.py").write_text(KERNEL)
    (package / "transform.py").write_text(TRANSFORM)
    return tmp_path


def manifest_of(folder: Path, text: str) -> Path:
    (folder / "brainsmith.yaml").write_text(text)
    return folder


def names(text: str, kind: str) -> list[str]:
    return [entry["name"] for entry in parse_yaml(text, "f").data.get(kind, [])]


def test_the_lists_are_written_and_everything_else_stays(folder: Path) -> None:
    synced = sync(folder)
    assert synced.after == SYNCED
    assert synced.components == {"operations": 0, "kernels": 1, "transforms": 1, "targets": 0}
    assert not synced.agrees
    assert "-    module: old.place\n" in synced.difference
    assert "+    module: flash.kernel\n" in synced.difference


def test_nothing_is_written_until_it_is_asked_for(folder: Path) -> None:
    path = folder / "brainsmith.yaml"
    path.chmod(0o640)
    synced = sync(folder)
    assert path.read_text() == MANIFEST
    synced.write()
    assert path.read_text() == SYNCED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in folder.iterdir()) == ["brainsmith.yaml", "src"]
    again = sync(path)
    assert again.agrees
    assert again.difference == ""


def test_the_result_is_a_manifest(folder: Path) -> None:
    sync(folder).write()
    (kernel,) = Manifest.read(folder / "brainsmith.yaml").kernels
    assert (kernel.operation, kernel.datatypes, kernel.tags) == (
        "attention",
        ("float16",),
        ("fast",),
    )


def test_the_built_in_manifest_says_what_its_decorators_say() -> None:
    synced = sync(builtin_folder())
    assert synced.difference == ""
    assert synced.components["kernels"] >= 8


def test_a_renamed_component_keeps_its_place(folder: Path) -> None:
    sync(folder).write()
    kernel = folder / "src" / "flash" / "kernel.py"
    kernel.write_text(KERNEL.replace('name="FlashAttention"', 'name="Flash2"'))
    assert sync(folder).after == SYNCED.replace("name: FlashAttention ", "name: Flash2 ")


def test_a_component_that_is_gone_is_removed(folder: Path) -> None:
    sync(folder).write()
    (folder / "src" / "flash" / "transform.py").write_text("")
    (folder / "src" / "flash" / "kernel.py").unlink()
    after = sync(folder).after
    assert "kernels: []\n" in after
    assert "transforms: []\n" in after
    assert "  # fast\n" in after


def test_what_no_decorator_declares_stays_where_it_can_be_right(folder: Path) -> None:
    (folder / "src" / "flash" / "plain.py").write_text("class InferAll: ...\n")
    text = MANIFEST.replace(
        "tags: [attention]",
        """\
transforms:
  - {name: Fold, module: qonnx.transformation.fold_constants, class: FoldConstants}
  - {name: InferAll, module: flash.plain, class: InferAll}
  - {name: Gone, module: flash.plain, class: Gone}
  - {name: Gone2, module: flash.gone, class: Gone}
targets:
  - {name: board, file: targets/board.yaml}
strategies:
  - {name: quick, file: strategies/quick.yaml}
tags: [attention]""",
    )
    after = sync(manifest_of(folder, text)).after
    assert names(after, "transforms") == ["Fold", "InferAll", "Quantize"]
    assert names(after, "targets") == ["board"]
    assert names(after, "strategies") == ["quick"]


def test_a_first_manifest_needs_a_name_and_a_version_only(folder: Path) -> None:
    after = sync(manifest_of(folder, "name: x\nversion: 1.0.0\nkernels:\n")).after
    assert names(after, "kernels") == ["FlashAttention"]
    assert names(after, "transforms") == ["Quantize"]
    assert sync(manifest_of(folder, after)).agrees


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("name: x\n", "'version' is missing", 1),
        ("name: x\nversion: 1.0.0\nkernals: []\n", "unknown field 'kernals'", 3),
        ("name: x\nversion: 1.0.0\nkernels: {a: b}\n", "expected a list", 3),
        ("name: x\nversion: 1.0.0\nkernels:\n  - text\n", "expected a mapping", 4),
        ("name: x\nversion: 1.0.0\nname: y\n", "is there twice", 3),
        (
            "name: x\nversion: 1.0.0\nstrategies:\n  - {name: s}\n",
            r"'strategies\[0\].file' is missing",
            4,
        ),
        (
            "name: x\nversion: 1.0.0\nkernels:\n"
            "  - {name: FlashAttention, module: flash.kernel, class: F, colour: red}\n",
            r"unknown field 'kernels\[0\].colour'",
            None,
        ),
    ],
)
def test_what_is_wrong_otherwise_has_to_be_mended_first(
    folder: Path, text: str, message: str, line: int | None
) -> None:
    path = manifest_of(folder, text) / "brainsmith.yaml"
    with pytest.raises(PluginError, match=message) as caught:
        sync(folder)
    where = f"{path}:{line}" if line else f"{folder}/src/flash/kernel.py:3"
    assert caught.value.where == where
    assert path.read_text() == text


def test_two_components_of_one_name_are_told_with_both_places(folder: Path) -> None:
    (folder / "src" / "flash" / "other.py").write_text(KERNEL)
    with pytest.raises(PluginError, match="two kernels are called 'FlashAttention'") as caught:
        sync(folder)
    assert "kernel.py:3" in (caught.value.hint or "")
    assert (caught.value.where or "").endswith("other.py:3")


def test_a_name_that_no_manifest_may_have_is_told_where_it_is_declared(folder: Path) -> None:
    kernel = folder / "src" / "flash" / "kernel.py"
    kernel.write_text(KERNEL.replace('name="FlashAttention"', 'name="a:b"'))
    with pytest.raises(PluginError, match="does not fit") as caught:
        sync(folder)
    assert caught.value.where == f"{kernel}:3"


def test_a_folder_that_cannot_be_written_is_a_storage_error() -> None:
    path = Path("/proc/self/status")  # not even root may add a file beside it
    with pytest.raises(StorageError, match="could not be written") as caught:
        Synced(path, "before", "after", {}).write()
    assert caught.value.where == str(path.resolve())


words = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
lines = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), max_size=30)
kernels = st.dictionaries(
    words,
    st.fixed_dictionaries(
        {"operation_type": words},
        optional={
            "description": lines,
            "version": st.sampled_from(["1.0.0", "2.0rc1"]),
            "tags": st.lists(lines.filter(bool), max_size=3),
        },
    ),
    max_size=4,
)


def source_of(declared: dict[str, dict[str, Any]]) -> str:
    text = "from brainsmith.api import backend, kernel\n"
    for index, (name, fields) in enumerate(declared.items()):
        arguments = ", ".join(f"{k}={v!r}" for k, v in {"name": name, **fields}.items())
        text += (
            f"@kernel({arguments})\nclass C{index}:\n    @backend('rtl')\n    def rtl(self): ...\n"
        )
    return text


@settings(max_examples=60)
@given(kernels, kernels)
def test_any_change_of_decorators_is_taken_over_once(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, dict[str, Any]],
    after: dict[str, dict[str, Any]],
) -> None:
    folder = tmp_path_factory.mktemp("plugin")
    manifest_of(folder, "# top\nname: x\nversion: 1.0.0  # now\n# end\n")
    for declared in (before, after):
        (folder / "code.py").write_text(source_of(declared))
        sync(folder).write()
        manifest = Manifest.read(folder / "brainsmith.yaml")
        found = {k.name: (k.operation, k.description, k.tags) for k in manifest.kernels}
        assert found == {
            name: (f["operation_type"], f.get("description", ""), tuple(f.get("tags", ())))
            for name, f in declared.items()
        }
        assert sync(folder).agrees
        text = (folder / "brainsmith.yaml").read_text()
        assert text.startswith("# top\nname: x\nversion: 1.0.0  # now\n")
        assert "# end\n" in text
