"""The code blocks of the specification's sections 1, 2 and 4, put into files as they stand."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from brainsmith.api import CUDAOp
from brainsmith.errors import PluginError
from brainsmith.plugins import PluginLoader
from brainsmith.plugins.sync import sync
from tests.plugins.folders import TRUSTED, Registry

pytestmark = pytest.mark.usefixtures("home")
SPECIFIED = Path(__file__).parent / "data" / "specified"
# The names that the blocks leave open.
BODIES = """

from brainsmith.api import CUDAOp, HLSOp


def CUDAFlashAttentionOp(config):
    return CUDAOp("flash_attention", ["flash.cu"])


def HLSFlashAttentionOp(config):
    return HLSOp("flash_attention", ["flash.cpp"])
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with the plugin of section 4, and one of sections 1 and 2 alone."""
    folder = tmp_path / "plugins"
    flash = folder / "flash-attention-plugin"
    blocks = folder / "blocks"
    for package in (flash / "src/flash_attention", blocks):
        package.mkdir(parents=True)
        shutil.copy(SPECIFIED / "section1.py", package / "kernel.py")
        shutil.copy(SPECIFIED / "section2.py", package / "transform.py")
    shutil.copy(SPECIFIED / "section4.yaml", flash / "brainsmith.yaml")
    # Section 4 speaks of another transform than section 2 shows.
    transform = flash / "src/flash_attention/transform.py"
    transform.write_text(
        transform.read_text().replace("QuantizeAttention", "OptimizeFlashAttention")
    )
    (blocks / "brainsmith.yaml").write_text("name: blocks\nversion: 1.0.0\n")
    sync(blocks).write()
    return folder


def test_they_are_discovered_and_shown(plugins: Path, registry: Registry) -> None:
    found = registry()
    assert found.broken == ()
    blocks, flash = found.plugins
    shown = (flash.name, flash.version, flash.author, flash.license, flash.tags)
    assert shown == (
        "flash-attention-plugin", "1.0.0", "community-member", "Apache-2.0",
        ("transformer", "attention", "performance"),
    )  # fmt: skip
    assert flash.dependencies == ("numpy>=1.20", "torch>=2.0")
    assert flash.compatibility == {"brainsmith": ">=2.0", "finn": ">=0.9"}
    assert [component.full_name for component in blocks.components] == [
        "blocks:FlashAttention", "blocks:QuantizeAttention",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "filters", "found"),
    [
        ("flash", {"kind": "kernel"}, ["blocks", "flash-attention-plugin"]),
        ("attention", {"kind": "transform"}, ["blocks", "flash-attention-plugin"]),
        ("efficient", {"tags": ["transformer"]}, ["blocks", "flash-attention-plugin"]),
        ("quantize int8", {}, ["blocks"]),
        ("", {"operation": "attention", "backend": "cuda"}, ["blocks"]),
        ("", {"tags": ["performance"], "kind": "kernel"}, ["flash-attention-plugin"]),
        ("", {"datatype": "bfloat16", "backend": "hls", "author": "nobody"}, []),
    ],
)
def test_they_are_searchable(
    plugins: Path, registry: Registry, query: str, filters: dict[str, object], found: list[str]
) -> None:
    hits = registry().search(query, filters)
    assert sorted({hit.plugin.name for hit in hits}) == found


def test_what_a_transform_works_well_with_is_found_without_an_import(
    plugins: Path, registry: Registry
) -> None:
    (plugins / "blocks/transform.py").write_text("raise SystemExit('imported')")
    (hit,) = registry().search("quantize", {"kind": "transform"})
    assert hit.component.record["compatible_kernels"] == ["FlashAttention", "StandardAttention"]


def test_sections_1_and_2_load_as_they_stand(plugins: Path, registry: Registry) -> None:
    found = registry(sandbox=TRUSTED)
    kernel = found.get("kernels", "blocks:FlashAttention")
    assert kernel.info.default_backend == "cuda" and set(kernel.info.backends) == {"cuda", "hls"}
    assert kernel.info.constraints["min_sequence_length"] == 64
    transform = found.get("transforms", "QuantizeAttention")
    assert transform.info.requires == ("numpy>=1.20", "onnx>=1.10")
    assert transform.instance.statistics == {}
    assert transform.instance.compatible_kernels == ["FlashAttention", "StandardAttention"]


def test_with_bodies_for_what_they_leave_open_they_work(plugins: Path, registry: Registry) -> None:
    source = plugins / "blocks/kernel.py"
    source.write_text(source.read_text() + BODIES)
    kernel = registry().get("kernels", "blocks:FlashAttention").instance
    assert isinstance(kernel.cuda_implementation(None), CUDAOp)
    assert kernel.hls_implementation(None).sources == ["flash.cpp"]
    source = plugins / "blocks/transform.py"
    source.write_text(source.read_text().replace("return quantized_model", "return model"))
    model = object()
    trusted = registry(sandbox=TRUSTED).get("transforms", "QuantizeAttention")
    assert trusted.instance.apply(model, {}) is model


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_section_4_names_what_is_missing(plugins: Path, registry: Registry) -> None:
    with pytest.raises(PluginError, match="torch") as caught:
        PluginLoader().load_plugin(plugins / "flash-attention-plugin/brainsmith.yaml")
    assert "numpy" not in caught.value.what
    assert 'pip install "torch>=2.0"' in str(caught.value.hint)
    with pytest.raises(PluginError, match="torch"):
        _ = registry().get("kernels", "flash-attention-plugin:FlashAttention").info


def test_section_4_loads_where_all_is_there(plugins: Path) -> None:
    manifest = plugins / "flash-attention-plugin/brainsmith.yaml"
    manifest.write_text(manifest.read_text().replace("  - torch>=2.0\n", ""))
    kernel, transform = PluginLoader().load_plugin(manifest).components
    assert kernel.info.name == kernel.name == "FlashAttention"
    assert transform.record["class"] == "OptimizeFlashAttentionTransform"
    assert transform.info.name == "OptimizeFlashAttention"
