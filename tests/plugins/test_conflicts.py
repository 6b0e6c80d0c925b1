"""Any mix of plugins gives the same registry, however and in whatever order it is found."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainsmith.errors import BrainsmithError
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.conflicts import Entry, settle
from brainsmith.plugins.discovery import Location
from tests.plugins.folders import write_plugin

# Few names, so that copies, versions, contradictions and imitations are met often.
NAMES = st.sampled_from(["a", "b", "a-b", "A_b", "a.b", "brainsmith", "Brainsmith"])
VERSIONS = st.sampled_from(["1.0.0", "1.0", "1.10.0", "1.9.0", "2.0.0rc1"])
KERNELS = st.sampled_from(["Mine", "Other"])
ORIGINS = st.sampled_from(["project", "path", "user", "store", "system", "built-in"])
NEEDED = st.sampled_from(["", "a", "b", "a-b"])
PLUGINS = st.tuples(NAMES, VERSIONS, KERNELS, NEEDED)
BROKEN = st.sampled_from(["name: [", "name: a\n", "nmae: a\nversion: '1'\n"])


def seen_by(registry: PluginRegistry) -> object:
    """All that a registry says of what is there."""
    kernels = []
    for name in ("Mine", "Other", "a:Mine", "a==1.0:Mine", "a-b:Other", "b:Other"):
        try:
            found = registry.get("kernels", name)
            kernels.append((str(found.plugin.path), found.plugin.version))
        except BrainsmithError as error:
            kernels.append((error.what, error.hint))
    return (
        [(p.name, p.version, str(p.path)) for p in registry.plugins],
        [(p.name, p.version, str(p.path)) for p in registry.other_versions],
        [str(p.path) for p in registry.copies],
        [(str(b.path), b.name, str(b.error)) for b in registry.broken],
        [c.full_name for c in registry.components("kernels")],
        [(hit.full_name, round(hit.score, 9)) for hit in registry.search("mine")],
        kernels,
    )


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    mix=st.lists(st.one_of(PLUGINS, BROKEN), min_size=1, max_size=7),
    seed=st.integers(0, 1 << 16),
)
def test_the_order_of_discovery_and_the_cache_change_nothing(
    mix: list[tuple[str, str, str, str] | str], seed: int
) -> None:
    shuffle = random.Random(seed).shuffle
    with TemporaryDirectory() as name, patch.dict(os.environ, XDG_CACHE_HOME=f"{name}/cache"):
        root = Path(name) / "plugins"
        order = list(enumerate(mix))
        shuffle(order)
        for number, content in order:
            folder = root / f"{'xyz'[number % 3]}/p{number}"
            if isinstance(content, str):
                folder.mkdir(parents=True)
                (folder / "brainsmith.yaml").write_text(content)
            else:
                plugin, version, kernel, needed = content
                more = f"dependencies: [brainsmith-plugin-{needed}]\n" if needed else ""
                write_plugin(folder, plugin, f"'{version}'", kernel, more)
        paths = [root / part for part in "xyz"]
        expected = seen_by(PluginRegistry(paths, distributions=False, cached=False))
        for cached in (True, True, False):
            shuffle(paths)
            registry = PluginRegistry(paths, distributions=False, cached=cached)
            assert seen_by(registry) == expected


@settings(deadline=None)
@given(
    st.lists(st.tuples(PLUGINS, ORIGINS), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_what_counts_depends_on_no_order(
    mix: list[tuple[tuple[str, str, str, str], str]], shuffled: random.Random
) -> None:
    def settled(order: list[int]) -> object:
        entries = [entry_of(*mix[number], number) for number in order]
        return [(e.location.manifest, e.status, e.record.get("error")) for e in settle(entries)]

    numbers = list(range(len(mix)))
    expected = settled(numbers)
    for order in itertools.islice(itertools.permutations(numbers), 24):
        assert settled(list(order)) == expected
    shuffled.shuffle(numbers)
    assert settled(numbers) == expected


@given(st.lists(st.tuples(PLUGINS, ORIGINS), min_size=1, max_size=6))
def test_a_name_means_one_plugin_and_nothing_is_lost(
    mix: list[tuple[tuple[str, str, str, str], str]],
) -> None:
    entries = settle([entry_of(*one, number) for number, one in enumerate(mix)])
    assert len(entries) == len(mix)
    meant = [entry.name for entry in entries if entry.status == "default"]
    assert len(meant) == len(set(meant))
    assert {entry.name for entry in entries if entry.status == "version"} <= set(meant)
    assert all("error" in entry.record for entry in entries if entry.status == "broken")


def entry_of(plugin: tuple[str, str, str, str], origin: str, number: int) -> Entry:
    name, version, kernel, needed = plugin
    record = {
        "name": name,
        "version": version,
        "dependencies": [f"brainsmith-plugin-{needed}"] if needed else [],
        "components": [{"kind": "kernels", "name": kernel, "module": "m", "class": "K"}],
    }
    return Entry(Location(f"/{number}/brainsmith.yaml", origin), (number, 0, 0, number), record)
