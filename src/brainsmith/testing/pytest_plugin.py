"""What pytest gets from Brainsmith: options for waveforms, a marker, and fixtures for plugins.

It is loaded into every run of pytest, so nothing heavy is imported before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from brainsmith.plugins import Plugin, PluginRegistry

_FOLDER = "build/waves"
_MARKER = "hardware: simulates or synthesises hardware; `-m 'not hardware'` leaves it out"
_MANIFEST = "brainsmith.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--wave` and `--wave-folder`."""
    group = parser.getgroup("brainsmith")
    group.addoption(
        "--wave", action="store_true", help="write waveforms (FST) of kernels that fail, one a test"
    )
    group.addoption(
        "--wave-folder", default=_FOLDER, metavar="FOLDER", help=f"where to (default: {_FOLDER})"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Tells `check_kernel` where the waveform of this test goes."""
    if not item.config.getoption("--wave"):
        return (yield)
    from brainsmith.testing.waves import WAVES

    name = re.sub(r"[^\w.-]+", "_", item.nodeid)
    folder = item.config.rootpath / item.config.getoption("--wave-folder")
    token = WAVES.set((folder / f"{name}.fst").absolute())
    try:
        return (yield)
    finally:
        WAVES.reset(token)


@pytest.fixture(scope="session")
def plugin_folder(pytestconfig: pytest.Config) -> Path:
    """The top folder of the plugin whose tests run: the nearest above that holds its manifest."""
    root = pytestconfig.rootpath
    for folder in (root, *root.parents):
        if (folder / _MANIFEST).is_file():
            return folder
    pytest.fail(f"neither {root} nor a folder above it holds a {_MANIFEST}", pytrace=False)


@pytest.fixture(scope="session")
def plugin_registry(plugin_folder: Path) -> PluginRegistry:
    """All plugins that are there, and before all the one whose tests run."""
    from brainsmith.testing.finding import registry_of

    return registry_of(plugin_folder, (plugin_folder / _MANIFEST).stat().st_mtime_ns)


@pytest.fixture(scope="session")
def plugin(plugin_folder: Path, plugin_registry: PluginRegistry) -> Plugin:
    """The plugin whose tests run."""
    from brainsmith.testing.finding import plugin_at

    return plugin_at(plugin_folder, plugin_registry)
