"""Searching: words, ranking, filters, with SQLite's text search and without."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.errors import ConfigurationError
from brainsmith.plugins import PackageFacts, PluginRegistry, text
from brainsmith.plugins.index import _SCHEMA, Index
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.search import FILTERS
from tests.plugins.manifests import SPECIFIED

pytestmark = pytest.mark.usefixtures("home")

POOLS = """\
name: pools
version: 2.0.0
author: Ann
license: MIT
description: Pooling
kernels:
  - name: MaxPool
    module: pools
    class: MaxPool
    description: Greatest value of a window
    operation: max_pool
    backends: [rtl, hls]
    datatypes: [INT4, INT8]
    devices: [ecp5]
    constraints: {min_C: 4, max_C: 64, multiple_of_W: 2}
    tags: [vision, pooling]
  - {name: AvgPool, module: pools, class: AvgPool, operation: avg_pool, backends: [hls]}
transforms:
  - {name: FusePools, module: pools, class: FusePools, stage: graph_cleanup,
     compatible_kernels: [MaxPool], description: attention to pooling}
compatibility:
  brainsmith: "<2.5"
  finn: ">=0.9"
"""


@pytest.fixture(params=["fts5", "words"])
def registry(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> PluginRegistry:
    if request.param == "words":
        monkeypatch.setattr(text, "_has_fts5", lambda database: False)
    for name, manifest in (("flash", SPECIFIED), ("pools", POOLS)):
        folder = tmp_path / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "brainsmith.yaml").write_text(textwrap.dedent(manifest))
    found = PluginRegistry([tmp_path / "plugins", builtin_folder()], distributions=False)
    assert found.broken == ()
    assert found.catalog.index.meta()["text"] == request.param
    return found


def names(registry: PluginRegistry, query: str = "", **filters: Any) -> list[str]:
    return [found.name for found in registry.search(query, filters)]


def test_the_specification_s_manifest_is_found_by_its_words(registry: PluginRegistry) -> None:
    found = registry.search("attention", filters={"tags": ["transformer"]})
    assert [one.name for one in found] == ["FlashAttention", "OptimizeFlashAttention"]
    assert found[0].full_name == "flash-attention-plugin:FlashAttention"
    assert found[0].plugin.license == "Apache-2.0"


@pytest.mark.parametrize("query", ["flash", "Flash Attention", "FLASHATT", "efficient flash"])
def test_words_may_be_written_in_any_case_and_may_be_beginnings(
    registry: PluginRegistry, query: str
) -> None:
    assert set(names(registry, query)) == {"FlashAttention", "OptimizeFlashAttention"}


@pytest.mark.parametrize("query", ["flash window", "xyzzy", "...", "lash", '"', "a AND b OR NOT *"])
def test_all_words_must_be_there(registry: PluginRegistry, query: str) -> None:
    assert names(registry, query) == []


def test_a_name_counts_more_than_a_description(registry: PluginRegistry) -> None:
    assert names(registry, "attention")[-1] == "FusePools"
    assert names(registry, "pool")[0] in ("MaxPool", "AvgPool", "MaxPool2D")


def test_without_words_there_is_everything(registry: PluginRegistry) -> None:
    everything = sum(len(plugin.components) for plugin in registry.plugins)
    assert len(registry.search()) == everything
    assert names(registry, kind="strategy") == ["balanced", "performance", "area"]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"kind": "transforms"}, ["FusePools"]),
        ({"operation": "max_pool"}, ["MaxPool"]),
        ({"backend": "rtl"}, ["MaxPool"]),
        ({"datatype": "int8"}, ["MaxPool", "AvgPool", "FusePools"]),
        ({"datatype": "INT16"}, ["AvgPool", "FusePools"]),
        ({"target": "ecp5-85k", "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"target": "ecp5", "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"target": "ice40-up5k", "kind": "kernel"}, ["AvgPool"]),
        ({"tags": ["vision", "pooling"]}, ["MaxPool"]),
        ({"tags": "vision"}, ["MaxPool"]),
        ({"tags": ["vision", "audio"]}, []),
        ({"author": "ann", "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"author": "an"}, []),
        ({"license": "mit", "backend": "rtl"}, ["MaxPool"]),
        ({"shape": {"C": 8, "W": 4}, "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"shape": "C=2", "kind": "kernel"}, ["AvgPool"]),
        ({"shape": "C=65", "kind": "kernel"}, ["AvgPool"]),
        ({"shape": "C=8,W=3", "kind": "kernel"}, ["AvgPool"]),
        ({"compatible_with": "2.4", "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"compatible_with": "brainsmith==2.5"}, []),
        ({"compatible_with": "finn==0.10", "kind": "kernel"}, ["MaxPool", "AvgPool"]),
        ({"compatible_with": "finn 0.8"}, []),
        ({"certification": "gold"}, []),
        ({"certification": "community", "min_downloads": 0, "backend": "rtl"}, ["MaxPool"]),
        ({"min_downloads": 1}, []),
    ],
)
def test_filters(registry: PluginRegistry, filters: dict[str, Any], left: list[str]) -> None:
    found = [hit.name for hit in registry.search("pool", filters) if hit.plugin.name == "pools"]
    assert sorted(found) == sorted(left)


@pytest.mark.parametrize(
    ("filters", "wrong"),
    [
        ({"certificate": "gold"}, "did you mean 'certification'"),
        ({"certification": "golden"}, "did you mean 'gold'"),
        ({"kind": "kernal"}, "did you mean 'kernel'"),
        ({"min_downloads": "many"}, "is a number"),
        ({"backend": 3}, "is a text"),
        ({"target": "ecp5-85"}, "no target 'ecp5-85'(.|\n)*did you mean 'ecp5-85k'"),
        ({"target": "ecp6"}, "did you mean 'ecp5'"),
        ({"shape": "8"}, "is no shape"),
        ({"shape": "C=0"}, "is no shape"),
        ({"compatible_with": "new"}, "is no version"),
        ({"compatible_with": "fin==1.0"}, "did you mean 'finn'"),
    ],
)
def test_a_wrong_filter_is_an_error(
    registry: PluginRegistry, filters: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong):
        registry.search("pool", filters)


def test_an_unknown_order_is_an_error(registry: PluginRegistry) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'downloads'"):
        registry.search("pool", sort="download")


class Facts:
    """What a hub would know, for plugins of which nothing is fetched."""

    def __init__(self, facts: Mapping[str, PackageFacts]) -> None:
        self._facts = facts

    def fetch(self, name: str, version: str, folder: Path) -> Path:
        raise ConfigurationError(f"there is no '{name}'")

    def facts(self, names: Iterable[str]) -> Mapping[str, PackageFacts]:
        return {name: self._facts[name] for name in names if name in self._facts}


def test_what_a_hub_knows_is_filtered_and_sorted_by(registry: PluginRegistry) -> None:
    registry.source = Facts(
        {"pools": PackageFacts(5000, "silver"), "flash-attention-plugin": PackageFacts(70, "gold")}
    )
    by_downloads = registry.search("attention", sort="downloads")
    assert [(one.name, one.downloads) for one in by_downloads] == [
        ("FusePools", 5000), ("FlashAttention", 70), ("OptimizeFlashAttention", 70),
    ]  # fmt: skip
    assert names(registry, certification="gold", kind="kernel") == ["FlashAttention"]
    assert set(names(registry, certification="silver", kind="transform")) == {
        "FusePools", "OptimizeFlashAttention",
    }  # fmt: skip
    assert {one.plugin.name for one in registry.search("", {"min_downloads": 71})} == {"pools"}


def test_every_filter_is_documented() -> None:
    from brainsmith.plugins import search

    assert all(f"`{name}`" in str(search.__doc__) for name in FILTERS)


def test_words_in_camel_case_and_with_accents() -> None:
    assert text.words("MaxPool2D") == ["maxpool2d", "max", "pool", "2", "d", "pool2d", "2d"]
    assert text.words("Grösse, int8!") == ["grosse", "int8", "int", "8"]
    assert text.words("流") == ["ue6b581"]
    assert text.terms("MaxPool fast") == [("maxpool", "max", "pool"), ("fast",)]


@given(st.text(), st.text())
def test_any_text_is_searched_without_an_error(said: str, asked: str) -> None:
    plugin = {"name": "p", "description": said, "author": said, "tags": [said]}
    part = {"kind": "kernels", "name": "K", "operation": "o", "backends": [said]}
    for create in (True, False):
        database = sqlite3.connect(":memory:")
        database.executescript(_SCHEMA)
        database.execute("INSERT INTO component VALUES (1, 1, 0, 'kernels', 'K', 'default')")
        with patch.object(text, "_has_fts5", lambda database, create=create: create):
            how = text.fill_text(database, [(1, plugin, part)])
        database.execute("INSERT INTO meta VALUES ('text', ?)", (how,))
        index = Index(database)
        facets = [[text.facet("backend", said)]]
        for query in (asked, *said.split()):
            found = text.hits(index, query, facets)
            assert [number for number, _ in found] in ([], [1])
        for word in text.words(said):
            assert [number for number, _ in text.hits(index, word, facets)] == [1]
