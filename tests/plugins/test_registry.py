"""Names, kinds, versions and conflicts in the registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins import PackageFacts, PluginLoader, PluginRegistry
from brainsmith.plugins.packing import write_archive
from brainsmith.plugins.places import builtin_folder, store_folder
from tests.plugins.folders import TRUSTED, Registry, write_plugin

pytestmark = pytest.mark.usefixtures("home")


def test_the_built_in_plugin_comes_through_its_manifest() -> None:
    (builtin,) = PluginRegistry(distributions=False).plugins
    assert (builtin.name, builtin.version, builtin.origin) == ("brainsmith", "2.0.0", "built-in")
    assert builtin.manifest.name == "brainsmith"
    for component in builtin.components:
        if component.is_data:
            assert component.data["name"] == component.name
        else:
            assert component.info.name == component.name


def test_without_the_built_in_manifest_nothing_is_there() -> None:
    registry = PluginRegistry(distributions=False)
    registry.search_paths.remove(str(builtin_folder()))
    assert registry.plugins == () and registry.broken == ()
    assert registry.components("kernels") == ()
    with pytest.raises(ConfigurationError, match="no kernel 'MatMul'"):
        registry.get("kernels", "MatMul")


def test_the_search_paths_are_those_of_the_specification(home: Path) -> None:
    registry = PluginRegistry()
    assert registry.search_paths[:3] == [
        "~/.brainsmith/plugins", "/usr/share/brainsmith", "./brainsmith_plugins",
    ]  # fmt: skip
    write_plugin(home / ".brainsmith/plugins/one", "one", kernel="One")
    write_plugin(home / "work/brainsmith_plugins/two", "two", kernel="Two")
    origins = {plugin.name: plugin.origin for plugin in registry.discover_plugins()}
    assert origins["one"] == "user" and origins["two"] == "project"


def test_kernels_of_a_plugin_come_before_the_built_in_ones(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/mine", "mine")
    kernels = registry(builtin=True).components("kernels")
    assert kernels[0].full_name == "mine:Mine"
    assert {kernel.plugin.name for kernel in kernels[1:]} == {"brainsmith"}


def test_a_registered_plugin_counts_like_a_discovered_one(tmp_path: Path) -> None:
    registry = PluginRegistry(distributions=False)
    plugin = PluginLoader().load_plugin(write_plugin(tmp_path / "mine", "mine"))
    registry.register(plugin)
    assert registry.components("kernels")[0].full_name == "mine:Mine"
    with pytest.raises(PluginError, match="already registered"):
        registry.register(plugin)


def test_an_unknown_component_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'ecp5-85k'"):
        PluginRegistry().get("targets", "ecp5-85")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("brainsmiht:MatMul", "did you mean 'brainsmith'"),
        ("brainsmith:MatMull", "did you mean 'MatMul'"),
        ("brainsmith==9.0:MatMul", "there is 2.0.0"),
    ],
)
def test_a_wrong_full_name_names_the_nearest(registry: Registry, name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        registry(builtin=True).get("kernels", name)


def test_an_unknown_kind_names_the_nearest(registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'kernels'"):
        registry().components("kernel")


def test_a_short_name_that_two_plugins_offer_is_an_error_that_names_both(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/a", "a")
    write_plugin(tmp_path / "plugins/b", "b")
    with pytest.raises(ConfigurationError, match=r"a:Mine, b:Mine") as caught:
        registry().get("kernels", "Mine")
    assert "brainsmith.toml" in str(caught.value.hint)
    assert registry().get("kernels", "b:Mine").plugin.name == "b"


def test_a_plugin_does_not_silently_replace_what_is_built_in(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/mine", "mine", kernel="MatMul")
    with pytest.raises(ConfigurationError, match="mine:MatMul, brainsmith:MatMul"):
        registry(builtin=True).get("kernels", "MatMul")


class TestTheProjectDecides:
    @pytest.fixture(autouse=True)
    def _two(self, tmp_path: Path) -> None:
        write_plugin(tmp_path / "plugins/a", "a")
        write_plugin(tmp_path / "plugins/b", "b")

    def test_the_nearest_file_counts(
        self, tmp_path: Path, registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "work/brainsmith.toml").write_text('[components]\nMine = "b:Mine"\n')
        (home / "brainsmith.toml").write_text('[components]\nMine = "a:Mine"\n')
        (home / "work/below").mkdir()
        monkeypatch.chdir(home / "work/below")
        assert registry().get("kernels", "Mine").full_name == "b:Mine"

    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ('[component]\nMine = "b:Mine"\n', "did you mean 'components'"),
            ('[components]\nMine = "Mine"\n', "expected a full name"),
            ("[components]\nMine = 3\n", "expected a full name"),
            ('[components]\nMine = "b:Yours"\n', "has another name"),
            ('[components]\nMine = "bb:Mine"\n', "no plugin 'bb'"),
            ('[components]\nMine = "b:Mine\n', "not TOML"),
            ("components = 3\n", "is a table"),
        ],
    )
    def test_a_mistake_in_it_is_an_error(
        self, registry: Registry, home: Path, text: str, wrong: str
    ) -> None:
        (home / "work/brainsmith.toml").write_text(text)
        with pytest.raises(ConfigurationError, match=wrong) as caught:
            registry().get("kernels", "Mine")
        assert "brainsmith.toml" in str(caught.value.where)


class TestVersions:
    @pytest.fixture(autouse=True)
    def _three(self, tmp_path: Path) -> None:
        for version in ("1.9", "1.10", "2.0rc1"):
            write_plugin(tmp_path / f"plugins/mine-{version}", "mine", f'"{version}"')

    def test_the_highest_that_is_no_pre_release_is_meant(self, registry: Registry) -> None:
        found = registry()
        assert found.plugin("mine").version == "1.10"
        assert [plugin.version for plugin in found.other_versions] == ["1.9", "2.0rc1"]

    @pytest.mark.parametrize(
        ("said", "meant"), [("1.9", "1.9"), ("1.9.0", "1.9"), ("2rc1", "2.0rc1")]
    )
    def test_another_is_chosen_by_its_number(
        self, registry: Registry, said: str, meant: str
    ) -> None:
        kernel = registry(sandbox=TRUSTED).get("kernels", f"mine=={said}:Mine")
        assert kernel.plugin.version == meant
        assert kernel.cls is not registry(sandbox=TRUSTED).get("kernels", "mine:Mine").cls

    def test_one_that_is_not_there_names_those_that_are(self, registry: Registry) -> None:
        with pytest.raises(ConfigurationError, match=r"there is 1\.10, 1\.9, 2\.0rc1"):
            registry().plugin("mine==3")


def test_names_that_imitate_each_other_are_refused_with_the_other_s_name(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/one", "flash-attention")
    write_plugin(tmp_path / "plugins/two", "Flash_Attention")
    write_plugin(tmp_path / "plugins/three", "good", kernel="Good")
    found = registry()
    assert [plugin.name for plugin in found.plugins] == ["good"]
    complaints = {broken.name: broken.error.what for broken in found.broken}
    assert "'Flash_Attention'" in complaints["flash-attention"]
    assert "'flash-attention'" in complaints["Flash_Attention"]
    with pytest.raises(ConfigurationError, match="cannot be used: the name"):
        found.get("kernels", "flash-attention:Mine")


@pytest.mark.parametrize("name", ["brainsmith", "Brainsmith", "BRAINSMITH"])
def test_nobody_takes_the_name_of_the_built_in_plugin(
    tmp_path: Path, registry: Registry, name: str
) -> None:
    write_plugin(tmp_path / "plugins/one", name, "9.0.0")
    found = registry(builtin=True)
    assert [plugin.origin for plugin in found.plugins] == ["built-in"]
    assert "the built-in plugin" in found.broken[0].error.what


def test_a_copy_counts_once_and_a_contradiction_not_at_all(
    tmp_path: Path, registry: Registry
) -> None:
    write_plugin(tmp_path / "plugins/a", "same")
    write_plugin(tmp_path / "plugins/b", "same")
    write_plugin(tmp_path / "plugins/c", "other", kernel="One")
    write_plugin(tmp_path / "plugins/d", "other", kernel="Two")
    found = registry()
    assert [plugin.path.parent.name for plugin in found.plugins] == ["a"]
    assert [plugin.path.parent.name for plugin in found.copies] == ["b"]
    assert [broken.path.parent.name for broken in found.broken] == ["c", "d"]
    assert "two different plugins 'other' 1.0.0" in found.broken[0].error.what


def test_plugins_that_depend_on_each_other_are_refused(tmp_path: Path, registry: Registry) -> None:
    for name, needed in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        more = f"dependencies: [brainsmith-plugin-{needed}]\n"
        write_plugin(tmp_path / "plugins" / name, name, more=more)
    found = registry()
    assert [broken.name for broken in found.broken] == ["a", "b", "c"]
    assert "a > b > c > a" in found.broken[0].error.what
    assert [plugin.name for plugin in found.plugins] == ["d"]


def test_the_operation_of_a_kernel_is_its_own_plugin_s_first(
    tmp_path: Path, registry: Registry
) -> None:
    found = registry(builtin=True)
    kernel = found.get("kernels", "MatMul")
    assert found.operation_of(kernel).full_name == "brainsmith:matmul"


def test_installing_needs_a_source(registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="no hub is configured"):
        registry().install_from_hub("flash-attention", version="2.0")


class Shelf:
    """A source of packages that are files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, name: str, version: str, folder: Path) -> Path:
        (found,) = self._folder.glob(f"{name}-*.bspkg")
        return Path(shutil.copy(found, folder))

    def facts(self, names: Iterable[str]) -> dict[str, PackageFacts]:
        return {}


def test_what_a_source_gives_is_installed_and_there(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path / "mine", "mine", "1.2.0")
    write_archive(folder, tmp_path / "mine-1.2.0.bspkg")
    registry = PluginRegistry(distributions=False, source=Shelf(tmp_path))
    plugin = registry.install_from_hub("mine", version="1.2.0")
    assert (plugin.name, plugin.version, plugin.origin) == ("mine", "1.2.0", "store")
    assert plugin.root == store_folder() / "mine/1.2.0"
    assert registry.get("kernels", "Mine").info.name == "Mine"


def test_names_are_those_of_the_components() -> None:
    registry = PluginRegistry()
    for kind in ("kernels", "transforms", "targets"):
        assert registry.names(kind) == tuple(c.full_name for c in registry.components(kind))
