"""Names that a new plugin can have, and those that it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith import PluginRegistry
from brainsmith.errors import ConfigurationError
from brainsmith.pdk.names import check_components, check_free, check_name, class_of, module_of
from brainsmith.plugins.names import is_plugin_name
from brainsmith.plugins.places import builtin_folder
from brainsmith.toolchains.hdl_check.allowed import KEYWORDS
from tests.pdk.conftest import Run


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "reserved"), ("brainsmith", "reserved"), ("tests", "reserved"),
        ("docs", "reserved"), ("null", "reserved"), ("none", "Python class 'None'"),
        ("exception", "Python class 'Exception'"), ("sequence", "Python class 'Sequence'"),
        ("kernel-config", "Python class 'KernelConfig'"), ("model", "Python class 'Model'"),
        ("brainsmith-fast", "Brainsmith's own"), ("bs-label-select", "Brainsmith's own"),
        ("logic", "in SystemVerilog"), ("s_always", "in SystemVerilog"),
        ("std", "in SystemVerilog"),
        ("1st-kernel", "can be no plugin's name"), ("My-Kernel", "can be no plugin's name"),
        ("class", "can be no plugin's name"), ("a/b", "can be no plugin's name"),
        ("a.b", "can be no plugin's name"), ("..", "can be no plugin's name"),
        ("", "can be no plugin's name"), ("-x", "can be no plugin's name"),
        ("k\N{LATIN SMALL LETTER E WITH ACUTE}rnel", "can be no plugin's name"),
        ("a" * 37, "too long"), ("a" * 65, "can be no plugin's name"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(name: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        check_name(name)


def test_what_the_check_of_sources_refuses_is_no_name() -> None:
    words = [word for word in KEYWORDS if is_plugin_name(word) and word == word.lower()]
    assert {"std", "program", "bind"} <= set(words)
    for word in words:
        with pytest.raises(ConfigurationError):
            check_name(word)


def test_what_is_called_after_a_name() -> None:
    assert module_of("my-awesome-kernel") == "my_awesome_kernel"
    assert class_of("my-awesome-kernel") == "MyAwesomeKernel"


def test_keywords_of_hardware_matter_where_there_is_hardware() -> None:
    check_name("design", hardware=False)
    with pytest.raises(ConfigurationError, match="means something in SystemVerilog"):
        check_name("design")


@pytest.mark.parametrize("other", ["my-kernel", "My_Kernel", "my.kernel"])
def test_names_that_can_be_taken_for_another_are_refused(other: str) -> None:
    with pytest.raises(ConfigurationError, match=f"there is a plugin called '{other}'"):
        check_free("my-kernel", [other])


@pytest.mark.parametrize(
    ("name", "type", "taken"),
    [
        ("mat-mul", "kernel", "kernel called 'MatMul'"),
        ("matmul", "kernel", "kernel called 'MatMul'"),
        ("matmul", "operation", "operation called 'matmul'"),
        ("label-select", "operation", "operation called 'label_select'"),
        ("streamline", "transform", "transform called 'Streamline'"),
        ("ecp5-85k", "target", "target called 'ecp5-85k'"),
        ("balanced", "strategy", "strategy called 'balanced'"),
    ],
)
def test_names_of_built_in_components_are_refused(name: str, type: str, taken: str) -> None:
    registry = PluginRegistry([builtin_folder()], distributions=False, cached=False)
    with pytest.raises(ConfigurationError, match=f"there is a built-in {taken}"):
        check_components(name, type, registry)
    check_components(f"my-{name}", type, registry)


def test_the_command_refuses_a_built_in_name(brainsmith: Run, tmp_path: Path) -> None:
    done = brainsmith(
        "create-plugin", "balanced", "--type", "strategy", "--defaults", expect=4
    )  # fmt: skip
    assert "such as my-balanced" in done.stderr and not (tmp_path / "balanced").exists()


def test_a_folder_of_that_name_is_no_installed_package(brainsmith: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    brainsmith("create-plugin", "mine", "--defaults")
    assert (tmp_path / "mine" / "brainsmith.yaml").is_file()
