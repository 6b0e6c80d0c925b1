"""Which manifests are found, and that one that is broken hides no other."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder, store_folder
from tests.plugins.folders import TRUSTED, Registry, as_another_user, write_plugin

pytestmark = pytest.mark.usefixtures("home")


def names(registry: PluginRegistry) -> list[str]:
    return [plugin.name for plugin in registry.plugins]


def test_every_place_is_searched(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = home / "named"
    write_plugin(home / ".brainsmith/plugins/p", "of-user", kernel="A")
    write_plugin(home / "work/brainsmith_plugins/p", "of-project", kernel="B")
    write_plugin(named / "p", "of-path", kernel="C")
    write_plugin(store_folder() / "of-store/1.0.0", "of-store", kernel="D")
    monkeypatch.setenv("BRAINSMITH_PLUGIN_PATH", os.pathsep.join(["/nowhere", str(named), ""]))
    found = {p.name: p.origin for p in PluginRegistry(distributions=False).plugins}
    assert found == {
        "of-user": "user", "of-project": "project", "of-path": "path", "of-store": "store",
        "brainsmith": "built-in",
    }  # fmt: skip


def test_a_search_path_may_be_a_plugin_itself(tmp_path: Path, registry: Registry) -> None:
    write_plugin(tmp_path / "plugins", "itself")
    write_plugin(tmp_path / "plugins/examples", "no-plugin-of-its-own", kernel="Other")
    assert names(registry()) == ["itself"]


def test_one_level_is_searched_and_hidden_folders_are_not(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/a", "a")
    write_plugin(tmp_path / "plugins/deep/er", "b")
    write_plugin(tmp_path / "plugins/.git", "c")
    assert names(registry()) == ["a"]


def test_no_code_of_a_plugin_runs(tmp_path: Path, registry: Registry) -> None:
    folder = write_plugin(tmp_path / "plugins/a", "a")
    (folder / "a_kernels.py").write_text("raise SystemExit('imported')")
    found = registry()
    assert names(found) == ["a"] and found.search("mine")[0].full_name == "a:Mine"


BROKEN = {
    "not YAML": "name: [",
    "a tag": "name: !!python/name:os.system\nversion: '1'\n",
    "a bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a duplicate key": "name: a\nname: b\nversion: '1'\n",
    "an unknown field": "name: a\nversion: '1'\nkernals: []\n",
    "a module outside": "name: a\nversion: '1'\nkernels:\n  - {name: K, module: ..os, class: K}\n",
    "no text": "\0\x01",
    "nothing": "",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_kept_with_its_error_and_hides_no_other(
    tmp_path: Path, registry: Registry, content: str
) -> None:
    write_plugin(tmp_path / "plugins/good", "good")
    bad = tmp_path / "plugins/bad/brainsmith.yaml"
    bad.parent.mkdir()
    bad.write_text(content)
    for found in (registry(), registry()):  # read, and from the index
        assert names(found) == ["good"]
        (broken,) = found.broken
        assert broken.path == bad
        assert str(bad) in str(broken.error.where)


def test_a_manifest_that_is_a_folder_is_broken(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "plugins/bad/brainsmith.yaml").mkdir(parents=True)
    assert len(registry().broken) == 1


def test_links_are_followed_and_a_plugin_behind_two_is_there_once(
    tmp_path: Path, registry: Registry
) -> None:
    real = write_plugin(tmp_path / "elsewhere", "real")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/one").symlink_to(real)
    (tmp_path / "plugins/two").symlink_to(real)
    found = registry()
    assert [plugin.path.parent.name for plugin in found.plugins] == ["one"]
    assert found.broken == ()


def test_a_link_that_leads_nowhere_or_to_itself_is_broken(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/good", "good")
    (tmp_path / "plugins/gone").symlink_to(tmp_path / "gone")
    (tmp_path / "plugins/loop").symlink_to(tmp_path / "plugins/loop")
    found = registry()
    assert names(found) == ["good"]
    assert [broken.path.name for broken in found.broken] == ["gone", "loop"]
    assert all("link" in broken.error.what for broken in found.broken)
    write_plugin(tmp_path / "gone", "back")
    assert names(registry()) == ["back", "good"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user")
def test_a_folder_that_cannot_be_read_is_broken(tmp_path: Path, registry: Registry) -> None:
    write_plugin(tmp_path / "plugins/good", "good")
    bad = write_plugin(tmp_path / "plugins/bad", "bad")
    unread = tmp_path / "unread"
    write_plugin(unread / "p", "unread")
    found = registry(tmp_path / "plugins", unread, cached=False)
    assert names(found) == ["bad", "good", "unread"]  # so that all is imported
    for folder in (bad, unread):
        folder.chmod(0)
    try:
        told = as_another_user(
            lambda: (
                f"{names(found.discover_plugins() and found)} "
                + " ".join(f"{b.path.name}: {b.error.what}" for b in found.broken)
            ),
            tmp_path,
        )
    finally:
        for folder in (bad, unread):
            folder.chmod(0o755)
    assert told.startswith("('good',)") or told.startswith("['good']")
    assert told.count("cannot read") == 2 and "Permission denied" in told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user")
def test_a_home_that_is_read_only_costs_the_index_alone(tmp_path: Path, home: Path) -> None:
    write_plugin(home / ".brainsmith/plugins/p", "of-user")
    registry = PluginRegistry(distributions=False, cached=False)
    assert names(registry) == ["of-user", "brainsmith"]  # so that all is imported
    home.chmod(0o555)

    def look() -> str:
        found = [PluginRegistry(distributions=False) for _ in range(2)]
        return f"{[names(one) for one in found]} {found[0].note} {found[1].from_cache}"

    try:
        told = as_another_user(look, tmp_path)
    finally:
        home.chmod(0o755)
    both = "[['of-user', 'brainsmith'], ['of-user', 'brainsmith']]"
    assert told.startswith(f"{both} the index of plugins cannot be kept in {home}/.cache")
    assert "Permission denied" in told and told.endswith("False")


def test_changed_search_paths_are_used_at_once(tmp_path: Path, registry: Registry) -> None:
    write_plugin(tmp_path / "one/p", "one")
    write_plugin(tmp_path / "two/p", "two")
    found = registry(tmp_path / "one")
    assert names(found) == ["one"]
    found.search_paths.append(str(tmp_path / "two"))
    assert names(found) == ["one", "two"]
    found.search_paths.remove(str(tmp_path / "one"))
    assert names(found) == ["two"]


class TestDistributions:
    """Installed distributions, made as an installer leaves them."""

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "site"
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        return folder

    def install(
        self, site: Path, project: str, package: str, *, entry: str = "", record: str = ""
    ) -> Path:
        folder = write_plugin(site / package, package.replace("_", "-"), kernel="K")
        (folder / "brainsmith.yaml").write_text(
            f"name: {package.replace('_', '-')}\nversion: 1.0.0\nkernels:\n"
            f"  - {{name: K, module: {package}.kernels, class: K}}\n"
        )
        shutil.move(next(folder.glob("*_kernels.py")), folder / "kernels.py")
        (folder / "__init__.py").write_text("raise SystemExit('imported')")
        info = site / f"{project}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        if entry:
            (info / "entry_points.txt").write_text(f"[brainsmith.plugins]\nx = {entry}\n")
        if record:
            (info / "RECORD").write_text(f"{record},,\n{package}/__init__.py,,\n")
        return folder

    def found(self) -> PluginRegistry:
        return PluginRegistry([])

    def test_an_entry_point_names_the_manifest_and_nothing_is_imported(self, site: Path) -> None:
        self.install(site, "anything", "one_pkg", entry="one_pkg:brainsmith.yaml")
        (plugin,) = self.found().plugins
        assert (plugin.name, plugin.origin, plugin.package) == (
            "one-pkg", "distribution", "one_pkg",
        )  # fmt: skip
        assert "one_pkg" not in sys.modules

    def test_a_name_is_enough(self, site: Path) -> None:
        self.install(site, "brainsmith_plugin_two", "two_pkg", record="two_pkg/brainsmith.yaml")
        assert names(self.found()) == ["two-pkg"]

    def test_its_modules_are_those_of_python(self, site: Path) -> None:
        folder = self.install(site, "x", "three_pkg", entry="three_pkg:brainsmith.yaml")
        (folder / "__init__.py").write_text("")
        assert self.found().get("kernels", "three-pkg:K").info.name == "K"
        assert "three_pkg.kernels" not in sys.modules
        cls = self.found().confined(TRUSTED).get("kernels", "three-pkg:K").cls
        assert cls.__module__ == "three_pkg.kernels"
        assert sys.modules["three_pkg.kernels"].K is cls

    @pytest.mark.parametrize(
        ("entry", "wrong"),
        [
            ("four_pkg:other.yaml", "a file that is not there"),
            ("no_such_pkg:brainsmith.yaml", "a file that is not there"),
            ("four_pkg:../../etc/x.yaml", "outside its package"),
            ("four pkg:brainsmith.yaml", "names no package"),
        ],
    )
    def test_a_wrong_entry_point_is_broken(self, site: Path, entry: str, wrong: str) -> None:
        self.install(site, "x", "four_pkg", entry=entry)
        (broken,) = self.found().broken
        assert wrong in broken.error.what

    def test_a_name_without_a_manifest_is_broken(self, site: Path) -> None:
        self.install(site, "brainsmith_plugin_x", "five_pkg", record="five_pkg/x.py")
        assert "has no brainsmith.yaml" in self.found().broken[0].error.what

    def test_an_editable_installation_leads_to_its_project(
        self, site: Path, tmp_path: Path
    ) -> None:
        project = write_plugin(tmp_path / "my project", "editable")
        self.install(site, "brainsmith_plugin_e", "six_pkg", record="six_pkg/x.py")
        (site / "brainsmith_plugin_e-1.0.dist-info/direct_url.json").write_text(
            f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}'
        )
        assert names(self.found()) == ["editable"]

    def test_of_an_editable_installation_the_project_counts(
        self, site: Path, tmp_path: Path
    ) -> None:
        project = write_plugin(tmp_path / "project", "live")
        self.install(site, "x", "ten_pkg", entry="ten_pkg:brainsmith.yaml")
        origin = site / "x-1.0.dist-info/direct_url.json"
        for editable, found in (("true", "live"), ("false", "ten-pkg")):
            origin.write_text(
                f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": {editable}}}}}'
            )
            # Metadata do not change once they are installed, and are not looked at again.
            assert names(PluginRegistry([site / "none"], cached=False)) == [found]

    def test_what_comes_goes_and_changes_is_seen_at_once(self, site: Path) -> None:
        folder = self.install(site, "x", "seven_pkg", entry="seven_pkg:brainsmith.yaml")
        assert names(self.found()) == ["seven-pkg"]
        self.install(site, "y", "eight_pkg", entry="eight_pkg:brainsmith.yaml")
        assert names(self.found()) == ["eight-pkg", "seven-pkg"]
        (site / "y-1.0.dist-info/entry_points.txt").write_text("[console_scripts]\n")
        assert names(self.found()) == ["seven-pkg"]
        manifest = folder / "brainsmith.yaml"
        manifest.write_text(manifest.read_text().replace("seven-pkg", "other-pkg"))
        assert names(self.found()) == ["other-pkg"]
        shutil.rmtree(site / "x-1.0.dist-info")
        assert names(self.found()) == []

    def test_files_beside_them_do_not_make_the_index_stale(self, site: Path) -> None:
        self.install(site, "x", "nine_pkg", entry="nine_pkg:brainsmith.yaml")
        for _ in range(2):
            assert names(self.found()) == ["nine-pkg"]
        import time

        time.sleep(0.2)
        assert names(self.found()) == ["nine-pkg"]
        (site / "result.txt").write_text("written by a program in its working folder")
        found = self.found()
        assert names(found) == ["nine-pkg"] and found.from_cache


def test_the_built_in_folder_is_a_search_path() -> None:
    assert str(builtin_folder()) in PluginRegistry().search_paths
