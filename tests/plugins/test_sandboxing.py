"""The level, the grants and the ledger of one compile."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, PluginSecurityError
from brainsmith.plugins.grants import Grant
from brainsmith.plugins.places import own_file
from brainsmith.plugins.sandboxing import TESTS_LEVEL, SandboxSettings, settings_from
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.record import Ledger
from tests.plugins.folders import Registry, write_plugin


@pytest.fixture
def work(home: Path, tmp_path: Path) -> Path:
    """A project beside a plugin that asks for 4 GiB."""
    more = "permissions: {memory: 4 GiB}\n"
    write_plugin(tmp_path / "plugins/lens", "lens", more=more)
    return home / "work"


def project(work: Path, text: str) -> None:
    (work / "brainsmith.toml").write_text(text)


def own(text: str) -> None:
    own_file().parent.mkdir(parents=True)
    own_file().write_text(text)


class TestTheLevel:
    def test_is_l3_where_nobody_says_anything(self, work: Path, registry: Registry) -> None:
        settings = settings_from(registry())
        assert settings.required == Level.L3 and settings.ledger.lowered is None

    def test_is_raised_by_either_file(self, work: Path, registry: Registry) -> None:
        project(work, '[sandbox]\nrequire = "L4"\n')
        assert settings_from(registry()).required == Level.L4
        own('[sandbox]\nrequire = "L5"\n')
        assert settings_from(registry()).required == Level.L5

    @pytest.mark.parametrize("named", [Level.L1, "L1", "l1"])
    def test_is_lowered_by_name_and_the_ledger_says_so(
        self, work: Path, registry: Registry, named: Level | str
    ) -> None:
        project(work, '[sandbox]\nrequire = "L4"\n')
        settings = settings_from(registry(), named)
        assert (settings.required, settings.usual) == (Level.L1, Level.L4)
        assert settings.ledger.lowered == Level.L1

    def test_that_is_named_as_it_is_or_higher_is_not_lowered(
        self, work: Path, registry: Registry
    ) -> None:
        for named in ("L3", "L4"):
            settings = settings_from(registry(), named)
            assert settings.required.name == named and settings.ledger.lowered is None

    def test_of_tests_is_lowered_from_l4(self, work: Path, registry: Registry) -> None:
        assert settings_from(registry(), usual=TESTS_LEVEL).required == Level.L4
        assert settings_from(registry(), "L3", usual=TESTS_LEVEL).ledger.lowered == Level.L3

    def test_that_there_is_not_is_an_error(self, work: Path, registry: Registry) -> None:
        with pytest.raises(ConfigurationError, match="unknown sandbox level 'L33'") as caught:
            settings_from(registry(), "L33")
        assert caught.value.where == "--sandbox"


class TestGrants:
    def test_come_from_the_project_the_user_and_the_options(
        self, work: Path, registry: Registry
    ) -> None:
        found = registry()
        lens = found.plugin("lens")
        with pytest.raises(PluginSecurityError, match="memory of 4 GiB"):
            settings_from(found).policy_for(lens)
        project(work, '[sandbox.plugins.lens]\nmemory = "5 GiB"\n')
        found = registry()
        assert settings_from(found).policy_for(lens).memory == 4 << 30
        own('[sandbox.plugins.lens]\nmemory = "1 GiB"\n')
        with pytest.raises(PluginSecurityError, match="granted: 1 GiB"):
            settings_from(found).policy_for(lens)
        options = {"lens": Grant(memory=6 << 30)}
        assert settings_from(found, grants=options).policy_for(lens).memory == 4 << 30

    def test_a_refusal_names_the_project_s_file(self, work: Path, registry: Registry) -> None:
        found = registry()
        with pytest.raises(PluginSecurityError) as caught:
            settings_from(found).policy_for(found.plugin("lens"))
        assert f"write in {work}/brainsmith.toml:" in str(caught.value.hint)

    @pytest.mark.parametrize("name", ["lense", "lens==1.0.0", ""])
    def test_an_option_for_a_plugin_that_is_not_there_is_an_error(
        self, work: Path, registry: Registry, name: str
    ) -> None:
        with pytest.raises(ConfigurationError, match="which is not there") as caught:
            settings_from(registry(), grants={name: Grant()})
        assert caught.value.where == "--grant" and "lens" in str(caught.value.hint)

    def test_so_is_one_in_the_project_s_file(self, work: Path, registry: Registry) -> None:
        project(work, "[sandbox.plugins.lense]\nmemory = 1\n")
        with pytest.raises(ConfigurationError, match="'lense', which is not there") as caught:
            settings_from(registry())
        assert caught.value.where == str(work / "brainsmith.toml")

    def test_the_user_s_own_file_may_know_plugins_of_other_projects(
        self, work: Path, registry: Registry
    ) -> None:
        own("[sandbox.plugins.another]\nmemory = 1\n")
        assert settings_from(registry()).grants.own["another"].memory == 1

    def test_a_plugin_that_cannot_be_used_is_there(
        self, work: Path, tmp_path: Path, registry: Registry
    ) -> None:
        write_plugin(tmp_path / "plugins/bad", "bad")
        write_plugin(tmp_path / "plugins/other", "bad", more="description: another\n")
        found = registry()
        assert [one.name for one in found.broken] == ["bad", "bad"]
        settings_from(found, grants={"bad": Grant(memory=1)})


def test_calls_are_noted_where_the_caller_says(work: Path, registry: Registry) -> None:
    ledger = Ledger()
    assert settings_from(registry(), ledger=ledger).ledger is ledger


def test_two_compiles_share_no_ledger() -> None:
    assert SandboxSettings().ledger is not SandboxSettings().ledger
