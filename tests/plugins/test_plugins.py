"""Manifest, loader and registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins import PluginLoader, PluginRegistry

MANIFEST = """\
name: my-plugin
version: 1.0.0
kernels:
  - {name: Mine, module: my_plugin_kernels, class: Mine}
"""
KERNEL = """\
from brainsmith.api import RTLOp, backend, kernel

@kernel(name="Mine", operation_type="matmul", version="1.0.0")
class Mine:
    @backend("rtl")
    def rtl(self, config):
        return RTLOp("mine", [])
"""


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "brainsmith.yaml").write_text(MANIFEST)
    (tmp_path / "my_plugin_kernels.py").write_text(KERNEL)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_built_in_plugin_comes_through_its_manifest() -> None:
    (builtin,) = PluginRegistry().plugins
    assert builtin.manifest.name == "brainsmith"
    assert builtin.manifest.version == "2.0.0"
    for component in builtin.components:
        if component.kind in ("operations", "kernels", "transforms"):
            assert component.info.name == component.name
        else:
            assert component.data["name"] == component.name


def test_a_plugin_is_imported_at_its_first_use_only(plugin_folder: Path) -> None:
    (plugin_folder / "my_plugin_kernels.py").write_text("raise RuntimeError('imported')\n")
    plugin = PluginLoader().load_plugin(plugin_folder)
    with pytest.raises(RuntimeError, match="imported"):
        _ = plugin.components[0].cls


def test_kernels_of_a_plugin_come_before_the_built_in_ones(plugin_folder: Path) -> None:
    registry = PluginRegistry()
    registry.register(PluginLoader().load_plugin(plugin_folder))
    assert registry.kernels_of("matmul")[0].full_name == "my-plugin:Mine"


def test_an_unknown_field_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text("name: a\nversion: '1'\nkernals: []\n")
    with pytest.raises(PluginError, match="did you mean 'kernels'"):
        PluginLoader().load_plugin(tmp_path)


def test_manifest_and_decorator_must_agree(plugin_folder: Path) -> None:
    (plugin_folder / "brainsmith.yaml").write_text(MANIFEST.replace("name: Mine", "name: Yours"))
    plugin = PluginLoader().load_plugin(plugin_folder)
    with pytest.raises(PluginError, match="calls it 'Yours', its decorator 'Mine'"):
        _ = plugin.components[0].cls


def test_an_unknown_component_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'ecp5-85k'"):
        PluginRegistry().get("targets", "ecp5-85")


def test_a_yaml_tag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "brainsmith.yaml").write_text("name: !!python/name:os.system\nversion: '1'\n")
    with pytest.raises(PluginError, match="the tag"):
        PluginLoader().load_plugin(tmp_path)
