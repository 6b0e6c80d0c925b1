"""The lock: the plugins of a project, down to each file."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import ConfigurationError, PluginError, StorageError
from brainsmith.plugins.lockfile import (
    LOCK_NAME,
    Lock,
    Used,
    compare_lock,
    find_lock,
    lock_of,
    lock_place,
    require_locked,
    used_plugins,
    write_lock,
)
from brainsmith.plugins.packing import write_archive
from brainsmith.plugins.registry import PluginRegistry
from brainsmith.plugins.store import Store


def make_plugin(folder: Path, name: str = "lens", version: str = "1.0.0") -> Used:
    (folder / "src").mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text(f"name: {name}\nversion: {version}\n")
    (folder / "src/kernel.py").write_text(f"name = {name!r}\n")
    return Used(name, version, folder)


@pytest.fixture
def lens(tmp_path: Path) -> Used:
    return make_plugin(tmp_path / "plugins/lens")


@pytest.fixture
def prism(tmp_path: Path) -> Used:
    return make_plugin(tmp_path / "plugins/prism", "prism")


def test_the_same_plugins_give_the_same_text(lens: Used, prism: Used, tmp_path: Path) -> None:
    other = make_plugin(tmp_path / "x/lens", version="1.10.0")
    old = make_plugin(tmp_path / "y/lens", version="1.9.0")
    plugins = [lens, prism, other, old]
    texts = {lock_of(order).text() for order in itertools.permutations(plugins)}
    assert len(texts) == 1
    facts = json.loads(texts.pop())
    assert [(p["name"], p["version"]) for p in facts["plugins"]] == [
        ("lens", "1.0.0"), ("lens", "1.9.0"), ("lens", "1.10.0"), ("prism", "1.0.0"),
    ]  # fmt: skip
    assert facts["plugins"][0]["author_key"] is None
    assert list(facts["plugins"][0]["files"]) == ["brainsmith.yaml", "src/kernel.py"]
    assert str(tmp_path) not in json.dumps(facts), "a lock is the same on every machine"


def test_a_lock_is_read_as_it_was_written(lens: Used, tmp_path: Path) -> None:
    lock = lock_of([lens])
    assert write_lock(tmp_path / LOCK_NAME, lock)
    assert not write_lock(tmp_path / LOCK_NAME, lock)
    assert Lock.read(tmp_path / LOCK_NAME) == lock
    assert compare_lock(lock, [lens]) == []
    require_locked(lock, lens)


def test_a_folder_its_package_and_what_is_installed_have_one_digest(
    lens: Used, tmp_path: Path
) -> None:
    lock = lock_of([lens])
    write_archive(lens.folder, tmp_path / "lens.bspkg")
    installed = Store(tmp_path / "store").install(tmp_path / "lens.bspkg")
    assert lock.plugins[0].content == installed.record.content
    require_locked(lock, Used("lens", "1.0.0", installed.folder))
    (installed.folder / ".hidden.py").write_text("evil = 1\n")
    with pytest.raises(PluginError, match="does not belong there"):
        require_locked(lock, Used("lens", "1.0.0", installed.folder))


def test_a_change_is_refused_with_the_name_of_the_file(lens: Used) -> None:
    lock = lock_of([lens])
    kernel = lens.folder / "src/kernel.py"
    for change, what in [
        (lambda: kernel.write_text("evil = 1\n"), "the file has changed"),
        (kernel.unlink, "the file is missing"),
        (lambda: kernel.symlink_to("/etc/passwd"), "no links"),
    ]:
        change()
        with pytest.raises(PluginError, match=what) as error:
            require_locked(lock, lens)
        assert error.value.where == str(kernel)
        assert [d.where for d in compare_lock(lock, [lens])] == [str(kernel)]


def test_a_plugin_that_is_not_locked_is_refused(lens: Used, prism: Used) -> None:
    lock = lock_of([lens])
    with pytest.raises(PluginError, match=r"prism 1\.0\.0 is not locked: .* does not name it"):
        require_locked(lock, prism)
    with pytest.raises(PluginError, match=r"lens 2\.0 is not locked: the lock has 1\.0\.0"):
        require_locked(lock, Used("lens", "2.0", lens.folder))
    require_locked(lock, Used("lens", "1.0", lens.folder))
    found = compare_lock(lock, [prism])
    assert [(d.plugin, d.what) for d in found] == [
        ("prism 1.0.0", "the plugin is not in the lock"),
        ("lens 1.0.0", "the plugin is not there"),
    ]


def damaged(text: str) -> dict[str, str]:
    facts = json.loads(text)
    plugin = facts["plugins"][0]
    return {
        "empty": "",
        "cut off": text[:50],
        "a list": "[]",
        "not UTF-8": "\udcff",
        "another schema": text.replace('"schema": 1', '"schema": 2'),
        "an unknown field": json.dumps({**facts, "plugin": []}),
        "a digest that is none": text.replace(plugin["content"], "sha256:0"),
        "another digest": text.replace(plugin["content"], "sha256:" + "0" * 64),
        "a file twice": text.replace('"files": {', '"files": {"src/kernel.py": "00", '),
        "nested deeply": "[" * 100_000,
    }


@pytest.mark.parametrize("kind", damaged('{"plugins": [{"content": "x"}]}'))
def test_a_damaged_lock_is_refused(kind: str, lens: Used, tmp_path: Path) -> None:
    text = damaged(lock_of([lens]).text())[kind]
    (tmp_path / LOCK_NAME).write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigurationError, match="lock") as error:
        Lock.read(tmp_path / LOCK_NAME)
    assert error.value.where == str(tmp_path / LOCK_NAME)
    assert error.value.hint == "write it anew: brainsmith lock"


def test_a_missing_lock_and_one_that_cannot_be_written(lens: Used, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the lock"):
        Lock.read(tmp_path / LOCK_NAME)
    with pytest.raises(StorageError):
        write_lock(tmp_path / "missing" / LOCK_NAME, lock_of([lens]))


def test_the_lock_lies_in_the_project(tmp_path: Path) -> None:
    inside = tmp_path / "project/models/digits"
    inside.mkdir(parents=True)
    assert lock_place(inside) == inside / LOCK_NAME
    assert find_lock(inside) is None
    (tmp_path / "project/brainsmith.toml").touch()
    assert lock_place(inside) == tmp_path / "project" / LOCK_NAME
    (tmp_path / "project" / LOCK_NAME).touch()
    assert find_lock(inside) == tmp_path / "project" / LOCK_NAME


def test_what_is_discovered_is_what_is_used(lens: Used, prism: Used, tmp_path: Path) -> None:
    registry = PluginRegistry([tmp_path / "plugins"], distributions=False, cached=False)
    assert sorted(used_plugins(registry), key=lambda used: used.name) == [lens, prism]
    everything = PluginRegistry(distributions=False, cached=False)
    assert not any(used.name == "brainsmith" for used in used_plugins(everything))


names = st.sampled_from(["src/kernel.py", "src/other.py", "a.sv", "data/b.bin", "brainsmith.yaml"])
changes = st.lists(st.tuples(names, st.none() | st.binary(max_size=3)), max_size=4)


@settings(max_examples=60)
@given(changes=changes)
def test_exactly_what_differs_is_named(
    changes: list[tuple[str, bytes | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lens") / "lens"
    lens = make_plugin(folder)
    lock = lock_of([lens])
    before = {n: (folder / n).read_bytes() for n in ("brainsmith.yaml", "src/kernel.py")}
    now = dict(before)
    for name, content in changes:
        now.pop(name, None)
        if content is not None:
            now[name] = content
    shutil.rmtree(folder)
    for name, content in now.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    folder.mkdir(exist_ok=True)
    expected = {
        str(folder / name): "extra"
        if name not in before
        else "changed"
        if name in now
        else "missing"
        for name in before | now
        if before.get(name) != now.get(name)
    }
    assert {d.where: d.kind for d in compare_lock(lock, [lens])} == expected
