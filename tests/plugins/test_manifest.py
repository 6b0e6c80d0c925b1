"""The manifest: every field, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from brainsmith.errors import PluginError
from brainsmith.plugins.manifest import CodeEntry, FileEntry, Manifest
from brainsmith.plugins.safe_yaml import parse_yaml
from tests.plugins.manifests import EVERYTHING, SPECIFIED


def of(text: str) -> Manifest:
    return Manifest.of(parse_yaml(text, "brainsmith.yaml"))


def complaint(text: str) -> PluginError:
    with pytest.raises(PluginError) as caught:
        of(text)
    return caught.value


def with_fields(text: str) -> str:
    return f"name: mine\nversion: 1.0.0\n{text}\n"


def test_the_specified_manifest_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text(SPECIFIED)
    manifest = Manifest.read(tmp_path / "brainsmith.yaml")
    assert (manifest.name, manifest.version) == ("flash-attention-plugin", "1.0.0")
    assert manifest.kernels[0].class_ == "FlashAttentionKernel"
    assert manifest.transforms[0].module == "flash_attention.transform"
    assert manifest.dependencies == ("numpy>=1.20", "torch>=2.0")
    assert (manifest.compatibility.finn, manifest.compatibility.python) == (">=0.9", "")
    assert manifest.examples[1] == "examples/gpt_optimization.py"


def test_every_field_is_there() -> None:
    manifest = of(EVERYTHING)
    kernel, transform = manifest.kernels[0], manifest.transforms[0]
    assert (kernel.operation, kernel.backends, kernel.version) == ("matmul", ("rtl", "cuda"), "1.0")
    assert kernel.constraints["supported_dtypes"] == ("INT4",)
    assert kernel.constraints["multiple_of_x"] is True
    assert (kernel.devices, kernel.datatypes) == (("ecp5-85k", "sm_90"), ("INT4", "float16"))
    assert (transform.stage, transform.compatible_kernels) == ("graph_cleanup", ("K", "other:K"))
    assert [type(t) for t in manifest.targets] == [FileEntry, CodeEntry]
    assert manifest.permissions.memory == 3 << 29
    assert manifest.permissions.output_size == 1 << 20
    assert (manifest.permissions.cpu_time, manifest.permissions.wall_time) == (30.0, 2.5)
    assert manifest.permissions.readable_paths == ("/usr/share/models", "data")
    assert [f.platform for f in manifest.funding] == ["GitHub Sponsors", None]


def test_a_manifest_survives_its_own_dictionary() -> None:
    manifest = of(EVERYTHING)
    again = Manifest.model_validate(manifest.model_dump(by_alias=True, exclude_none=True))
    assert again == manifest


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        of(EVERYTHING).name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "line", "what", "hint"),
    [
        ("kernals: []", 3, "unknown field 'kernals'", "did you mean 'kernels'?"),
        (
            "kernels:\n  - {name: K, module: m, clas: K}",
            4,
            "unknown field 'kernels[0].clas' (and 1 more)",
            "did you mean 'class'?",
        ),
        ("permissions:\n  wall_tme: 3", 4, "permissions.wall_tme", "did you mean 'wall_time'?"),
        ("funding: [{uri: x}]", 3, "unknown field 'funding[0].uri'", "did you mean 'url'?"),
        ("targets:\n  - {name: a, fil: x}", 4, "targets[0].fil", "did you mean 'file'?"),
        ("targets:\n  - {name: a, modul: x, class: C}", 4, "targets[0].modul", "'module'?"),
        ("strategies:\n  - {name: a}", 4, "'strategies[0].file' is missing", "YAML file"),
        ("kernels:\n  - {name: K, module: m}", 4, "'kernels[0].class' is missing", "class"),
        ("author: 3", 3, "'author': expected text, found the number 3", 'quotes: "3"'),
        ("author:", 3, "'author': expected text, found nothing", None),
        ("tags: x", 3, 'expected a list, found the text "x"', None),
        ("kernels: {name: K}", 3, "expected a list, found a mapping", None),
        ("kernels: [K]", 3, "'kernels[0]': expected a mapping of fields", None),
        ("compatibility: {brainsmith: 2.0}", 3, "found the number 2.0", 'quotes: "2.0"'),
        ('compatibility: {brainsmith: "2.0"}', 3, '"2.0" does not fit', ">=2.0,<3"),
        ('dependencies: ["a b"]', 3, "'dependencies[0]'", "PEP 508"),
        ('version: "one"', None, "is there twice", None),
        ("kernels:\n  - {name: 'a:b', module: m, class: K}", 4, '"a:b"', "letters"),
        ("kernels:\n  - {name: K, module: ../m, class: K}", 4, '"../m"', "inside the plugin"),
        ("kernels:\n  - {name: K, module: ..m, class: K}", 4, '"..m"', "inside the plugin"),
        ("kernels:\n  - {name: K, module: /m, class: K}", 4, '"/m"', "inside the plugin"),
        ("kernels:\n  - {name: K, module: m, class: K()}", 4, '"K()"', "name of a class"),
        ("strategies: [{name: s, file: ../s.yaml}]", 3, '"../s.yaml"', "inside the plugin"),
        ("strategies: [{name: s, file: a//s.yaml}]", 3, '"a//s.yaml"', "inside the plugin"),
        ("examples: [/etc/passwd]", 3, '"/etc/passwd"', "inside the plugin"),
        ("examples: ['C:\\x.py']", 3, "examples[0]", "inside the plugin"),
        ("examples: [.]", 3, "examples[0]", "inside the plugin"),
        (
            "kernels:\n  - {name: K, module: m, class: K}\n  - {name: K, module: n, class: L}",
            5,
            "two kernels are called 'K'",
            "kernels[0]",
        ),
        (
            "kernels: [{name: K, module: m, class: K, backends: [rlt]}]",
            3,
            "backends[0]': 'rlt' is unknown",
            "did you mean 'rtl'?",
        ),
        (
            "transforms: [{name: T, module: m, class: T, stage: graph_cleanp}]",
            3,
            "'graph_cleanp' is unknown",
            "did you mean 'graph_cleanup'?",
        ),
        (
            "kernels: [{name: K, module: m, class: K, constraints: {min_K: {a: 1}}}]",
            3,
            "constraints.min_K': a mapping does not fit",
            "a number",
        ),
        ("permissions: {memory: 2 GiBytes}", 3, '"2 GiBytes"', "GiB"),
        ("permissions: {memory: 0}", 3, "the number 0 does not fit", "bytes"),
        ("permissions: {memory: true}", 3, "the truth value true", "bytes"),
        ("permissions: {cpu_time: -1}", 3, "the number -1", "seconds"),
        ("permissions: {wall_time: .nan}", 3, "wall_time", "seconds"),
        ("permissions: {readable_paths: [/]}", 3, '"/"', "absolute path"),
        ("permissions: {readable_paths: [/a/../etc]}", 3, "/a/../etc", "absolute path"),
        ("permissions: {tools: [bin/sh]}", 3, '"bin/sh"', "tool's name"),
        ("funding: [{url: 'http://a.b'}]", 3, "http://a.b", "https://"),
        ("funding: [{url: 'https://a@b.c'}]", 3, "https://a@b.c", "https://"),
        ("funding: [{url: 'https:///x'}]", 3, "https:///x", "https://"),
        ('description: "\\e[31mred"', 3, "u001b", "visible text"),
        ('author: "a\\u202Eb"', 3, "u202e", "visible text"),
        ('tags: [""]', 3, "tags[0]", "visible text"),
        ("schema: two", 3, "'schema': the text \"two\"", "whole number"),
    ],
)
def test_a_wrong_field_is_told_with_line_and_what_is_expected(
    fields: str, line: int | None, what: str, hint: str | None
) -> None:
    error = complaint(with_fields(fields))
    assert what in error.what
    assert error.where == f"brainsmith.yaml:{line or 3}"
    if hint is None:
        assert error.hint is None or "keep one" in error.hint
    else:
        assert hint in (error.hint or "")


def test_name_and_version_are_needed() -> None:
    error = complaint("version: 1.0.0\n")
    assert error.what == "the field 'name' is missing"
    assert "the plugin's name" in (error.hint or "")
    assert (
        "'version': expected text, found the number 1.0" in complaint("name: a\nversion: 1.0").what
    )
    assert '"one" does not fit' in complaint("name: a\nversion: one").what


@pytest.mark.parametrize("name", ["fl\u0430sh", "-a", "a b", "../a", "a:b"])
def test_a_name_that_could_deceive_is_refused(name: str) -> None:
    error = complaint(f'name: "{name}"\nversion: 1.0.0\n')
    assert error.where == "brainsmith.yaml:1"
    assert "letters (a-z)" in (error.hint or "")


@pytest.mark.parametrize("text", ["", "- a\n", "text\n"])
def test_what_is_no_mapping_is_no_manifest(text: str) -> None:
    assert "the file: expected a mapping of fields" in complaint(text).what


def test_an_unknown_schema_says_which_brainsmith_is_needed() -> None:
    error = complaint(with_fields('schema: 2\nnew: 1\ncompatibility: {brainsmith: ">=3.1"}'))
    assert "the schema 2 is unknown" in error.what
    assert error.where == "brainsmith.yaml:3"
    assert 'pip install --upgrade "brainsmith>=3.1"' in (error.hint or "")


def test_all_complaints_can_be_had_at_once() -> None:
    document = parse_yaml(with_fields("kernals: []\nauthor: 3\ntags: x\n"), "f")
    fields = [complaint.field for complaint in Manifest.complaints_about(document)]
    assert fields == [("kernals",), ("author",), ("tags",)]
    assert Manifest.complaints_about(parse_yaml(EVERYTHING, "f")) == []


@pytest.mark.parametrize("module", ["safe_yaml", "names", "requirements", "sources", "decorated"])
def test_only_the_model_needs_pydantic(module: str) -> None:
    package = Path(sys.modules["brainsmith.plugins.manifest"].__file__ or "").parent
    code = (
        "import sys, types; package = types.ModuleType('brainsmith.plugins');"
        f"package.__path__ = [{str(package)!r}]; sys.modules['brainsmith.plugins'] = package;"
        f"import brainsmith.plugins.{module};"
        "heavy = {'pydantic', 'importlib.metadata', 'packaging'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
