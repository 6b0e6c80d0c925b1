"""The section `[sandbox]` of a project's file, and of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError
from brainsmith.plugins.grants import Grant
from brainsmith.plugins.places import own_file
from brainsmith.plugins.project import find_project, read_own
from brainsmith.plugins.sandbox_section import SandboxSection
from brainsmith.sandbox.levels import Level


@pytest.fixture
def work(home: Path) -> Path:
    return home / "work"


def write(work: Path, text: str) -> None:
    (work / "brainsmith.toml").write_text(text)


def write_own(text: str) -> Path:
    path = own_file()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_without_a_section_nothing_is_said(work: Path) -> None:
    write(work, "[components]\n")
    assert find_project(work).sandbox == SandboxSection() == read_own()
    assert SandboxSection().require == Level.L3


def test_a_project_asks_for_a_level_and_grants_limits_and_its_own_files(work: Path) -> None:
    write(
        work,
        '[sandbox]\nrequire = "L4"\n[sandbox.plugins."flash-attention"]\nmemory = "4 GiB"\n'
        'cpu_time = 300\nreadable_paths = ["data"]\n',
    )
    section = find_project(work).sandbox
    assert section.require == Level.L4
    assert section.plugins == {
        "flash-attention": Grant(4 << 30, 300.0, readable_paths=(work / "data",))
    }


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("sandbox = 3", "", "'sandbox' is a table"),
        ("[sandbox]\nrequired = 'L4'", "sandbox", "did you mean 'require'"),
        ("[sandbox]\nrequire = 4", "sandbox.require", "a level such as 'L4'"),
        ("[sandbox]\nrequire = 'L7'", "sandbox.require", "unknown sandbox level 'L7'"),
        ("[sandbox]\nrequire = 'L2'", "sandbox.require", "--sandbox L2"),
        ("[sandbox]\nplugins = []", "", "'sandbox.plugins' is a table"),
        ("[sandbox.plugins]\nlens = 3", "", "'sandbox.plugins.lens' is a table"),
        ("[sandbox.plugins.'a:b']\n", "sandbox.plugins.a:b", "no plugin's name"),
        ("[sandbox.plugins.lens]\nmemroy = 1", "sandbox.plugins.lens", "did you mean 'memory'"),
        ("[sandbox.plugins.lens]\nmemory = -1", "sandbox.plugins.lens", "memory cannot be -1"),
        ("[sandbox.plugins.lens]\nmemory = '1 GB '", "sandbox.plugins.lens", "memory cannot be"),
        ("[sandbox.plugins.lens]\ncpu_time = 0", "sandbox.plugins.lens", "cpu_time cannot be 0"),
    ],
)
def test_a_mistake_is_told_with_its_place(work: Path, text: str, where: str, said: str) -> None:
    write(work, text)
    with pytest.raises(ConfigurationError) as caught:
        find_project(work)
    place = f"{work / 'brainsmith.toml'}"
    assert caught.value.where == (f"{place}: {where}" if where else place)
    assert said in f"{caught.value.what} {caught.value.hint}"


class TestAProjectCannotLowerItsUsersGuard:
    @pytest.mark.parametrize("given", ["/home", "..", "~", "data/../../secret"])
    def test_by_files_outside_of_it(self, work: Path, given: str) -> None:
        write(work, f'[sandbox.plugins.lens]\nreadable_paths = ["{given}"]\n')
        with pytest.raises(ConfigurationError, match="lies outside") as caught:
            find_project(work)
        assert "--grant lens:read=" in str(caught.value.hint)

    def test_by_a_link_out_of_it(self, work: Path, home: Path) -> None:
        (home / "secret").mkdir()
        (work / "data").symlink_to(home / "secret")
        write(work, '[sandbox.plugins.lens]\nreadable_paths = ["data"]\n')
        with pytest.raises(ConfigurationError, match="lies outside"):
            find_project(work)

    def test_by_tools(self, work: Path) -> None:
        write(work, '[sandbox.plugins.lens]\ntools = ["sh"]\n')
        with pytest.raises(ConfigurationError, match="no tools") as caught:
            find_project(work)
        assert "--grant lens:tool=sh" in str(caught.value.hint)


class TestTheUsersOwnFile:
    def test_it_grants_anything(self, home: Path) -> None:
        write_own(
            '[sandbox]\nrequire = "L4"\n[sandbox.plugins.lens]\n'
            'readable_paths = ["/data", "~/x"]\ntools = ["iverilog"]\n'
        )
        section = read_own()
        assert section.require == Level.L4
        assert section.plugins["lens"] == Grant(
            readable_paths=(Path("/data"), home / "x"), tools=("iverilog",)
        )

    def test_it_lies_where_the_desktop_s_rules_say(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert own_file() == home / ".config/brainsmith/brainsmith.toml"
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
        assert own_file() == tmp_path / "c/brainsmith/brainsmith.toml"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[sandbox]\nrequire = 'L0'", "--sandbox L0"),
            ("[components]\nMine = 'a:Mine'", "unknown section 'components'"),
            ("[sandbox", "not TOML"),
        ],
    )
    def test_a_mistake_in_it_is_an_error(self, home: Path, text: str, said: str) -> None:
        path = write_own(text)
        with pytest.raises(ConfigurationError) as caught:
            read_own()
        assert said in str(caught.value)
        assert str(path) in str(caught.value.where)
