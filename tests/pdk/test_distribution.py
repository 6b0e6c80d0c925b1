"""A plugin as a Python distribution: built and installed by pip, found by its entry point."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest

from brainsmith.pdk.answers import TYPES, checked
from brainsmith.pdk.create import create
from tests.pdk.conftest import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
MANIFEST = "my_lens/brainsmith.yaml"
# What a user of the folder sees: the plugin, and that every component of it can be used.
USE = """
import site, sys
site.addsitedir(sys.argv[1])
from brainsmith import PluginRegistry
from brainsmith.plugins.checks import check_plugin
from brainsmith.testing import check_kernel
registry = PluginRegistry()
(plugin,) = [p for p in registry.plugins if p.name == "my-lens"]
print(plugin.origin, plugin.version, plugin.path)
for component in plugin.components:
    if component.is_data:
        print(component.kind, component.data["name"])
    else:
        print(component.kind, component.info.name)
    if component.kind == "kernels":
        print(sum(r.passed for r in check_kernel(component.full_name, count=2, registry=registry)))
assert all((plugin.root / example).is_file() for example in plugin.manifest.examples)
"""
COMPONENTS = {
    "kernel": ["kernels MyLens", "2"],
    "transform": ["transforms MyLens"],
    "operation": ["operations my_lens", "kernels MyLensKernel", "2"],
    "target": ["targets my-lens"],
    "strategy": ["strategies my-lens"],
}


@pytest.fixture
def pip(run: Run) -> Run:
    """Runs pip, which may ask nobody on the network."""

    def command(*arguments: object) -> object:
        quiet = ("--quiet", "--no-index", "--no-deps", "--disable-pip-version-check")
        return run(sys.executable, "-m", "pip", *map(str, arguments), *quiet)

    return command


def plugin(folder: Path, type: str = "kernel") -> Path:
    operation = "label_select" if type == "kernel" else ""
    create(checked("my-lens", type, operation, "Ada", "MIT", "Looks closely"), folder)
    return folder


def wheel_of(pip: Run, source: Path, to: Path) -> Path:
    pip("wheel", "--no-build-isolation", "--wheel-dir", to, source)
    (wheel,) = to.glob("*.whl")
    return wheel


def used(run: Run, site: Path) -> list[str]:
    return run(sys.executable, "-c", USE, str(site)).stdout.splitlines()


@pytest.mark.parametrize("type", TYPES)
def test_a_wheel_is_found_and_its_components_can_be_used(
    type: str, pip: Run, run: Run, tmp_path: Path
) -> None:
    folder = plugin(tmp_path / "source", type)
    wheel = wheel_of(pip, folder, tmp_path / "dist")
    assert wheel.name == "my_lens-0.1.0-py3-none-any.whl"
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    inside = {
        f"my_lens/{path.relative_to(folder / top).as_posix()}": path
        for top in ("src/my_lens", ".")
        for part in (("",) if top != "." else ("examples", "strategies", "targets"))
        for path in (folder / top / part).rglob("*.*")
    }
    assert names == {*inside, MANIFEST}
    pip("install", "--target", tmp_path / "site", wheel)
    found = f"distribution 0.1.0 {tmp_path / 'site' / MANIFEST}"
    assert used(run, tmp_path / "site") == [found, *COMPONENTS[type]]


def test_a_wheel_from_the_source_distribution_is_the_same(
    pip: Run, run: Run, tmp_path: Path
) -> None:
    folder = plugin(tmp_path / "source")
    direct = wheel_of(pip, folder, tmp_path / "direct")
    build = ("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path / "sdist"))
    run(sys.executable, *build, cwd=folder)
    (source,) = (tmp_path / "sdist").glob("*.tar.gz")
    assert wheel_of(pip, source, tmp_path / "again").read_bytes() == direct.read_bytes()


def test_the_version_is_that_of_the_manifest(pip: Run, tmp_path: Path) -> None:
    folder = plugin(tmp_path / "source", "target")
    manifest = folder / "brainsmith.yaml"
    text = manifest.read_text()
    for number, written in enumerate(("2.0rc1", "'2.0rc1'  # soon", '"2.0rc1"')):
        manifest.write_text(text.replace("version: 0.1.0", f"version: {written}"))
        wheel = wheel_of(pip, folder, tmp_path / str(number))
        assert wheel.name == "my_lens-2.0rc1-py3-none-any.whl"


def test_an_editable_installation_uses_the_folder(pip: Run, run: Run, tmp_path: Path) -> None:
    folder = plugin(tmp_path / "source")
    pip("install", "--no-build-isolation", "--prefix", tmp_path / "prefix", "--editable", folder)
    (site,) = (tmp_path / "prefix").rglob("site-packages")
    found = f"distribution 0.1.0 {folder / 'brainsmith.yaml'}"
    assert used(run, site) == [found, *COMPONENTS["kernel"]]
    manifest = folder / "brainsmith.yaml"
    manifest.write_text(manifest.read_text().replace("version: 0.1.0", "version: 0.2.0"))
    assert used(run, site)[0] == found.replace("0.1.0", "0.2.0")


def test_the_page_shows_what_the_template_writes(tmp_path: Path) -> None:
    page = (ROOT / "docs/packaging.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    written = (plugin(tmp_path / "source") / "pyproject.toml").read_text()
    shown = block.replace("my-kernel", "my-lens").replace("my_kernel", "my_lens")
    parts = [part.strip() for part in shown.split("\n...\n")]
    assert len(parts) > 1 and all(part in written for part in parts)
