"""Everything that is wrong with a plugin's folder, found without importing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.plugins.checks import check_plugin
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.sync import sync

GOOD = """\
name: mine
version: 1.0.0
license: Apache-2.0
transforms:
  - name: Mine
    module: mine.transform
    class: Mine
    stage: graph_cleanup
dependencies: [PyYAML]
"""
SOURCE = """\
from brainsmith.api import transform

@transform(name="Mine", stage="graph_cleanup")
class Mine:
    def apply(self, model, config): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brainsmith.yaml").write_text(GOOD)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "transform.py").write_text(SOURCE)
    return tmp_path


def flaws(folder: Path, text: str) -> list[tuple[str, str, str, str]]:
    path = folder / "brainsmith.yaml"
    path.write_text(text)
    return [
        (f.severity, f.what, (f.where or "").removeprefix(f"{folder}/"), f.hint or "")
        for f in check_plugin(folder)
    ]


def test_a_good_plugin_has_no_flaws(folder: Path) -> None:
    assert flaws(folder, GOOD) == []
    assert check_plugin(folder / "brainsmith.yaml") == []


def test_the_built_in_plugin_has_no_flaws() -> None:
    assert check_plugin(builtin_folder()) == []


def test_all_complaints_about_fields_come_at_once(folder: Path) -> None:
    found = flaws(folder, GOOD + "nam: x\ntags: 3\n")
    assert [(what, where) for _, what, where, _ in found] == [
        ("unknown field 'nam'", "brainsmith.yaml:10"),
        ("field 'tags': expected a list, found the number 3", "brainsmith.yaml:11"),
    ]


@pytest.mark.parametrize(
    ("text", "severity", "what", "line", "hint"),
    [
        (GOOD.replace("license: Apache-2.0\n", ""), "warning", "has no licence", 1, "Apache-2.0"),
        (GOOD.replace("Apache-2.0", "My own"), "warning", "'My own' is no SPDX licence", 3, "spdx"),
        (
            GOOD.replace("class: Mine", "class: Mien"),
            "error",
            "there is no class 'Mien' in",
            7,
            "did you mean 'Mine'?",
        ),
        (
            GOOD.replace("mine.transform", "mine.transfrom"),
            "error",
            "there is no module 'mine.transfrom'",
            6,
            "modules start in",
        ),
        (
            GOOD.replace("mine.transform", "os"),
            "error",
            "there is no module 'os'",
            6,
            "`dependencies`",
        ),
        (GOOD + "examples: [a.py]\n", "error", "there is no file 'a.py'", 10, "looked for"),
        (
            GOOD + "strategies:\n  - {name: s, file: s.yaml}\n",
            "error",
            "there is no file 's.yaml'",
            11,
            "",
        ),
        (
            GOOD.replace("PyYAML", "brainsmith-plugin-Mine"),
            "error",
            "the plugin depends on itself",
            9,
            "remove",
        ),
        (
            GOOD.replace("graph_cleanup", "kernel_mapping"),
            "error",
            "does not say what the decorators say",
            None,
            "brainsmith manifest sync",
        ),
        ("name: !!python/name:os.system\n", "error", "tag", 1, ""),
        ("a: &a [1]\nb: *a\n", "error", "anchor", 1, ""),
    ],
)
def test_a_flaw_is_named_with_its_line(
    folder: Path, text: str, severity: str, what: str, line: int | None, hint: str
) -> None:
    (found,) = flaws(folder, text)
    assert found[0] == severity
    assert what in found[1]
    assert found[2] == (f"brainsmith.yaml:{line}" if line else "brainsmith.yaml")
    assert hint in found[3]


def test_classes_of_a_dependency_are_not_looked_for(folder: Path) -> None:
    entry = "  - {name: Fold, module: qonnx.transformation.fold_constants, class: FoldConstants}\n"
    text = GOOD.replace("transforms:\n", f"transforms:\n{entry}")
    assert "there is no module 'qonnx" in flaws(folder, text)[0][1]
    assert flaws(folder, text.replace("[PyYAML]", "[qonnx>=1.0]")) == []
    # The package of PyYAML has another name than its distribution.
    assert flaws(folder, text.replace("qonnx.transformation.fold_constants", "yaml")) == []


def test_a_class_may_be_handed_on_by_a_package(folder: Path) -> None:
    (folder / "mine" / "__init__.py").write_text("from .transform import Mine\n")
    found = flaws(folder, GOOD.replace("module: mine.transform", "module: mine"))
    assert [what for _, what, _, _ in found] == [
        "the manifest does not say what the decorators say"
    ]
    assert "module: mine.transform\n" in sync(folder).after


def test_files_of_components_are_read(folder: Path) -> None:
    text = GOOD + "targets:\n  - {name: t, file: t.yaml}\n"
    (folder / "t.yaml").write_text("name: u\n")
    assert flaws(folder, text)[0][1] == "the manifest calls it 't', its file 'u'"
    (folder / "t.yaml").write_text("name: t\nname: t\n")
    assert flaws(folder, text)[0][1:3] == ("the key 'name' is there twice", "t.yaml:2")
    (folder / "t.yaml").write_text("name: t\n")
    assert flaws(folder, text) == []


def test_links_that_leave_the_plugin_are_flaws(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "t.yaml").write_text("name: t\n")
    (folder / "t.yaml").symlink_to(outside / "t.yaml")
    text = GOOD + "targets:\n  - {name: t, file: t.yaml}\nexamples: [t.yaml]\n"
    assert [what for _, what, _, _ in flaws(folder, text)] == [
        "'t.yaml' is a link that leaves the plugin"
    ] * 2
    (folder / "t.yaml").unlink()
    (folder / "mine" / "transform.py").unlink()
    (outside / "transform.py").write_text(SOURCE)
    (folder / "mine" / "transform.py").symlink_to(outside / "transform.py")
    assert "link that leaves the plugin" in flaws(folder, GOOD)[0][1]
    (folder / "src").symlink_to(outside)
    assert flaws(folder, GOOD)[0][1] == "the folder is a link that leaves the plugin"


def test_a_missing_manifest_is_a_flaw(tmp_path: Path) -> None:
    (flaw,) = check_plugin(tmp_path)
    assert (flaw.severity, flaw.where) == ("error", str(tmp_path / "brainsmith.yaml"))


@pytest.mark.parametrize(
    ("project", "told"),
    [
        ('dependencies = ["pyyaml"]', []),
        ('dependencies = ["PyYAML", "brainsmith[fpga]>=2"]', []),
        ('dynamic = ["dependencies"]', []),
        ("", ["pyproject.toml lacks the dependency 'PyYAML' of the manifest"]),
        (
            'dependencies = ["PyYAML>=6"]',
            ["the manifest needs 'PyYAML', pyproject.toml 'PyYAML>=6'"],
        ),
        (
            'dependencies = ["PyYAML", "scipy"]',
            ["the manifest lacks the dependency 'scipy' of pyproject.toml"],
        ),
        ("dependencies = 3", ["`project.dependencies` is no list of texts"]),
        ('dependencies = ["a b"]', ["'a b' is no requirement"]),
        ("name = ", ["the file cannot be read: Invalid value (at line 2, column 8)"]),
    ],
)
def test_dependencies_that_pip_does_not_see_alike_are_warned_of(
    folder: Path, project: str, told: list[str]
) -> None:
    (folder / "pyproject.toml").write_text(f"[project]\n{project}\n")
    found = flaws(folder, GOOD)
    assert [severity for severity, *_ in found] == ["warning"] * len(told)
    assert all(what.startswith(t) for (_, what, _, _), t in zip(found, told, strict=True))
    assert all(hint for *_, hint in found)
