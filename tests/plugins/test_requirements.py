"""What a plugin needs of this machine: found before any of its code is imported."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import brainsmith
from brainsmith.errors import PluginError
from brainsmith.plugins.manifest import Compatibility, Manifest
from brainsmith.plugins.requirements import check_requirements, compatibility, cycle, missing


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with installed packages, as pip leaves them."""
    install(tmp_path, "old-torch", "1.9")
    install(
        tmp_path,
        "first",
        "1.0",
        "Provides-Extra: all",
        "Requires-Dist: second[all]; extra == 'all'",
    )
    install(
        tmp_path,
        "second",
        "2.0",
        "Provides-Extra: all",
        "Requires-Dist: first[all]; extra == 'all'",
        "Requires-Dist: third>=3; extra == 'all'",
    )
    return tmp_path


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Brainsmith 2.1.0, whatever is installed here."""
    monkeypatch.setattr(brainsmith, "__version__", "2.1.0", raising=False)
    yield


def install(folder: Path, name: str, number: str, *more: str) -> None:
    info = folder / f"{name.replace('-', '_')}-{number}.dist-info"
    info.mkdir()
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {number}", *more)
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def manifest(**fields: object) -> Manifest:
    return Manifest.model_validate({"name": "mine", "version": "1", **fields})


def test_what_is_installed_is_not_missing() -> None:
    assert missing(["numpy>=1.20", "PyYAML", f"pydantic=={version('pydantic')}"]) == []


def test_what_is_missing_or_does_not_fit_is_told_with_the_reason(packages: Path) -> None:
    wanted = ["numpy>=1.20", "no-such-package>=2", "old_torch>=2.0", "old-torch<1.5"]
    found = missing([*wanted, "old-torch!=1.*"], folders=[packages])
    assert [(p.requirement, p.reason) for p in found] == [
        ("no-such-package>=2", "not installed"),
        ("old_torch>=2.0", "too old"),
        ("old-torch<1.5", "too new"),
        ("old-torch!=1.*", "other version"),
    ]


def test_a_marker_that_does_not_hold_here_asks_for_nothing() -> None:
    assert missing(['no-such-package; python_version < "3.8"']) == []
    assert [p.reason for p in missing(['no-such-package; python_version >= "3.8"'])] == [
        "not installed"
    ]


def test_extras_are_followed_and_may_ask_for_each_other(packages: Path) -> None:
    assert missing(["first"], folders=[packages]) == []
    (problem,) = missing(["first[all]"], folders=[packages])
    assert problem.install == "third>=3"


def test_a_plugin_that_is_there_meets_a_requirement() -> None:
    wanted = ["flash_attention>=1.0", "brainsmith-plugin-flash-attention>=2"]
    (problem,) = missing(wanted, plugins={"Flash-Attention": "1.4"})
    assert (problem.requirement, problem.reason) == (wanted[1], "too old")


def test_what_is_no_requirement_is_refused() -> None:
    with pytest.raises(PluginError, match="'a b' is no requirement"):
        missing(["a b"])


@pytest.mark.usefixtures("released")
def test_compatibility_is_checked_with_what_runs() -> None:
    wanted = Compatibility(brainsmith=">=2.0,<3", python=">=4", finn=">=0.9")
    assert [(f.subject, f.version, f.verdict) for f in compatibility(wanted)] == [
        ("brainsmith", "2.1.0", "fits"),
        ("finn", None, "not applicable"),
        ("python", platform.python_version(), "does not fit"),
    ]


def test_finn_is_checked_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "finn", "0.8")
    monkeypatch.syspath_prepend(tmp_path)
    (finding,) = compatibility(Compatibility(finn=">=0.9"))
    assert (finding.version, finding.verdict) == ("0.8", "does not fit")


@pytest.mark.usefixtures("released")
def test_one_error_names_everything_and_the_command_that_mends_it() -> None:
    plugin = manifest(
        dependencies=["numpy>=1.20", "no-such-torch>=2.0"],
        kernels=[{"name": "K", "module": "m", "class": "K", "requires": ["no-such-onnx"]}],
        compatibility={"brainsmith": ">=9", "python": ">=3.8"},
    )
    with pytest.raises(PluginError) as caught:
        check_requirements(plugin, "mine:K", requires=[*plugin.kernels[0].requires, "no-such-onnx"])
    assert "no-such-torch>=2.0 is needed" in caught.value.what
    assert "brainsmith 2.1.0 is here, brainsmith>=9 is needed" in caught.value.what
    assert "numpy" not in caught.value.what
    assert caught.value.what.count("no-such-onnx") == 1
    assert caught.value.hint == 'pip install "no-such-torch>=2.0" "no-such-onnx" "brainsmith>=9"'
    assert caught.value.where == "mine:K"


def test_what_is_met_raises_nothing() -> None:
    check_requirements(manifest(dependencies=["numpy"]), "mine")


def test_plugins_that_depend_on_each_other_in_a_circle_are_found() -> None:
    circle = {
        "a": ["numpy", "B>=1"],
        "b": ["brainsmith-plugin-c"],
        "c": ["a; python_version > '3'"],
        "d": ["a"],
    }
    assert cycle(circle) == ("a", "b", "c", "a")
    assert cycle({**circle, "c": ["numpy"]}) is None
    assert cycle({"self": ["brainsmith_plugin_self"]}) == ("self", "self")
