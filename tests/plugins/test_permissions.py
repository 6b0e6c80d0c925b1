"""From what a plugin asks for and what it was granted to the policy of its calls."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

from brainsmith.errors import PluginSecurityError
from brainsmith.plugins import Plugin, PluginLoader, PluginRegistry
from brainsmith.plugins.grants import Grant, Grants, parse_grants
from brainsmith.plugins.permissions import OWN_TOOLS, policy_for
from brainsmith.plugins.project import find_project
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.toolchains.doctor import inspect
from tests.plugins.folders import write_plugin

DEFAULT = SandboxPolicy()
pytestmark = pytest.mark.usefixtures("home")


def lens(tmp_path: Path, permissions: str = "{}", place: str = "elsewhere") -> Plugin:
    folder = write_plugin(tmp_path / place / "lens", "lens", more=f"permissions: {permissions}\n")
    if place == "home/work/brainsmith_plugins":
        return PluginRegistry(distributions=False).plugin("lens")
    return PluginLoader().load_plugin(folder)


def granted(*texts: str) -> Grants:
    return Grants(plugins=parse_grants(f"lens:{text}" for text in texts))


def refusal(plugin: Plugin, grants: Grants) -> PluginSecurityError:
    with pytest.raises(PluginSecurityError) as caught:
        policy_for(plugin, grants)
    return caught.value


def test_without_a_word_from_anybody_the_defaults_hold(tmp_path: Path) -> None:
    assert policy_for(lens(tmp_path), Grants()) == DEFAULT


def test_the_built_in_plugin_asks_for_nothing() -> None:
    plugin = PluginRegistry(distributions=False).plugin("brainsmith")
    assert policy_for(plugin, Grants()) == DEFAULT


class TestLimits:
    def test_a_plugin_that_asks_for_less_gets_less(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{memory: 64 MiB, cpu_time: 5}")
        policy = policy_for(plugin, Grants())
        assert (policy.memory, policy.cpu_time) == (64 << 20, 5.0)

    def test_more_is_refused_until_it_is_granted(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{memory: 4 GiB}")
        error = refusal(plugin, Grants())
        assert "memory of 4 GiB (granted: 2 GiB)" in error.what
        assert policy_for(plugin, granted("memory=4GiB")).memory == 4 << 30

    def test_a_grant_that_is_too_small_is_no_grant(self, tmp_path: Path) -> None:
        error = refusal(lens(tmp_path, "{wall_time: 600}"), granted("wall_time=300"))
        assert "wall_time of 600 s (granted: 300 s)" in error.what

    def test_a_grant_never_gives_more_than_was_asked_for(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{memory: 4 GiB}")
        policy = policy_for(plugin, granted("memory=64GiB", "wall_time=9000", "read=/data"))
        assert policy.memory == 4 << 30
        assert policy.wall_time == DEFAULT.wall_time
        assert policy.readable_paths == ()

    def test_a_user_may_set_tighter_limits(self, tmp_path: Path) -> None:
        policy = policy_for(lens(tmp_path), granted("memory=512MiB", "output_size=1MiB"))
        assert (policy.memory, policy.output_size) == (512 << 20, 1 << 20)

    def test_a_plugin_that_asks_for_more_than_a_tighter_limit_is_refused(
        self, tmp_path: Path
    ) -> None:
        error = refusal(lens(tmp_path, "{memory: 1 GiB}"), granted("memory=512MiB"))
        assert "memory of 1 GiB (granted: 512 MiB)" in error.what


class TestPaths:
    def test_what_is_in_the_plugin_needs_no_grant(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{readable_paths: [tables, data/x.bin]}")
        assert policy_for(plugin, Grants()).readable_paths == ()

    def test_a_path_in_the_plugin_that_is_written_absolute_needs_none(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, f"{{readable_paths: [{tmp_path}/elsewhere/lens/tables]}}")
        assert policy_for(plugin, Grants()).readable_paths == ()

    def test_another_needs_one_that_covers_it(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{readable_paths: [/data/set]}")
        assert "reading /data/set" in refusal(plugin, Grants()).what
        assert policy_for(plugin, granted("read=/data")).readable_paths == (Path("/data/set"),)

    @pytest.mark.parametrize("given", ["/data/set/more", "/data/se", "/dat", "/other"])
    def test_one_that_does_not_cover_it_is_none(self, tmp_path: Path, given: str) -> None:
        refusal(lens(tmp_path, "{readable_paths: [/data/set]}"), granted(f"read={given}"))

    def test_a_link_out_of_the_plugin_needs_a_grant_for_where_it_leads(
        self, tmp_path: Path
    ) -> None:
        plugin = lens(tmp_path, "{readable_paths: [link]}")
        secret = tmp_path / "secret"
        secret.mkdir()
        (plugin.root / "link").symlink_to(secret)
        assert f"reading {secret}" in refusal(plugin, Grants()).what
        assert policy_for(plugin, granted(f"read={secret}")).readable_paths == (secret,)

    def test_a_link_in_what_was_granted_leads_nowhere_else(self, tmp_path: Path) -> None:
        data, secret = tmp_path / "data", tmp_path / "secret"
        data.mkdir()
        secret.mkdir()
        (data / "link").symlink_to(secret)
        plugin = lens(tmp_path, f"{{readable_paths: [{data}/link]}}")
        assert f"reading {secret}" in refusal(plugin, granted(f"read={data}")).what

    def test_what_was_granted_may_itself_be_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "data").symlink_to(tmp_path / "disk")
        plugin = lens(tmp_path, f"{{readable_paths: [{tmp_path}/data/x]}}")
        policy = policy_for(plugin, granted(f"read={tmp_path}/data"))
        assert policy.readable_paths == (tmp_path / "disk/x",)

    def test_a_circle_of_links_is_refused_like_any_path(self, tmp_path: Path) -> None:
        (tmp_path / "circle").symlink_to(tmp_path / "circle")
        plugin = lens(tmp_path, f"{{readable_paths: [{tmp_path}/circle]}}")
        assert "circle" in refusal(plugin, Grants()).what

    @pytest.mark.parametrize("asked", ["/proc/1/environ", "/dev/mem", "/sys"])
    def test_the_kernel_s_own_files_are_never_given(self, tmp_path: Path, asked: str) -> None:
        plugin = lens(tmp_path, f"{{readable_paths: [{asked}]}}")
        assert f"no grant gives a plugin {asked}" in str(refusal(plugin, Grants()).hint)

    def test_not_even_behind_a_link_that_was_granted(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/sys")
        plugin = lens(tmp_path, f"{{readable_paths: [{tmp_path}/link/kernel]}}")
        grants = Grants(plugins={"lens": Grant(readable_paths=(tmp_path / "link",))})
        assert "no grant gives a plugin /sys/kernel" in str(refusal(plugin, grants).hint)

    def test_a_name_that_would_act_on_a_terminal_is_shown_as_what_it_is(
        self, tmp_path: Path
    ) -> None:
        plugin = lens(tmp_path, "{readable_paths: [link]}")
        (plugin.root / "link").symlink_to("/data\x1b[2J")
        assert str(refusal(plugin, Grants())).replace("\n", " ").isprintable()


class TestTools:
    def test_a_tool_needs_a_grant(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, "{tools: [iverilog]}")
        assert "starting iverilog" in refusal(plugin, granted("tool=ghdl")).what
        assert policy_for(plugin, granted("tool=iverilog")).tools == ("iverilog",)

    def test_the_compiler_s_own_need_none(self, tmp_path: Path) -> None:
        assert policy_for(lens(tmp_path, "{tools: [verilator, yosys]}"), Grants()).tools == ()

    def test_the_compiler_s_own_are_those_of_the_doctor(self) -> None:
        found = {tool.name for tool in inspect()}
        assert found <= set(OWN_TOOLS) and set(OWN_TOOLS) - found <= {"clang++", "g++"}


EVERYTHING = "{memory: 4 GiB, cpu_time: 1234567.5, readable_paths: [/a b/c], tools: [iverilog]}"


class TestWhatToGrant:
    def test_all_that_is_missing_is_told_at_once(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, EVERYTHING)
        error = refusal(plugin, Grants())
        for said in ("'lens'", "4 GiB", "1234567.5 s", "/a b/c", "iverilog"):
            assert said in error.what
        assert error.where == str(plugin.path)
        assert error.exit_code == 10

    def test_the_options_that_are_told_grant_it(self, tmp_path: Path) -> None:
        plugin = lens(tmp_path, EVERYTHING)
        hint = str(refusal(plugin, Grants()).hint)
        words = shlex.split(hint.partition("for one command: ")[2])
        assert words[::2] == ["--grant"] * 4
        policy = policy_for(plugin, Grants(plugins=parse_grants(words[1::2])))
        assert policy.cpu_time == 1234567.5 and policy.tools == ("iverilog",)

    def test_limits_are_granted_by_the_lines_that_are_told_in_the_project_s_file(
        self, tmp_path: Path, home: Path
    ) -> None:
        plugin = lens(tmp_path, "{memory: 4 GiB, cpu_time: 300}", "home/work/brainsmith_plugins")
        place = home / "work/brainsmith.toml"
        error = refusal(plugin, Grants(project_file=place))
        assert f"write in {place}:" in str(error.hint)
        place.write_text(lines_of(error))
        project = find_project(home / "work").sandbox.plugins
        assert policy_for(plugin, Grants(project=project)).memory == 4 << 30

    def test_a_project_s_own_files_are_granted_there_too(self, tmp_path: Path, home: Path) -> None:
        data, place = home / "work/data", home / "work/brainsmith.toml"
        plugin = lens(tmp_path, f"{{readable_paths: [{data}]}}", "home/work/brainsmith_plugins")
        assert f"write in {place}:" in str(refusal(plugin, Grants(project_file=place)).hint)

    def test_other_files_and_tools_are_granted_in_the_user_s_own_file(
        self, tmp_path: Path, home: Path
    ) -> None:
        error = refusal(lens(tmp_path, EVERYTHING), Grants())
        assert f"write in {home}/.config/brainsmith/brainsmith.toml:" in str(error.hint)
        assert tomllib.loads(lines_of(error)) == {
            "sandbox": {
                "plugins": {
                    "lens": {
                        "memory": "4 GiB", "cpu_time": 1234567.5,
                        "readable_paths": ["/a b/c"], "tools": ["iverilog"],
                    }
                }
            }
        }  # fmt: skip

    def test_for_a_plugin_of_a_project_they_are_granted_by_option_alone(
        self, tmp_path: Path
    ) -> None:
        plugin = lens(tmp_path, "{tools: [iverilog]}", "home/work/brainsmith_plugins")
        hint = str(refusal(plugin, Grants()).hint)
        assert hint == "if you trust it with this: --grant lens:tool=iverilog"

    def test_where_the_user_s_file_says_less_that_is_the_place(
        self, tmp_path: Path, home: Path
    ) -> None:
        plugin = lens(tmp_path, "{memory: 4 GiB}")
        grants = Grants(own={"lens": Grant(memory=1)}, project={"lens": Grant(memory=8 << 30)})
        assert f"write in {home}/.config" in str(refusal(plugin, grants).hint)

    def test_where_an_option_says_less_no_file_helps(self, tmp_path: Path) -> None:
        hint = str(refusal(lens(tmp_path, "{memory: 4 GiB}"), granted("memory=1GiB")).hint)
        assert hint == "if you trust it with this: --grant lens:memory=4GiB"


def lines_of(error: PluginSecurityError) -> str:
    """The lines of a file that an error proposes."""
    lines = str(error.hint).splitlines()
    return "".join(f"{line.strip()}\n" for line in lines[1:-1])
