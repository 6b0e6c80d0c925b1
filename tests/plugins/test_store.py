"""The store: a plugin is there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brainsmith.errors import BrainsmithError, ConfigurationError, PluginError, StorageError
from brainsmith.plugins import store as module
from brainsmith.plugins.archive import tree_digest
from brainsmith.plugins.dependencies import install_dependencies
from brainsmith.plugins.installed import RECORD, Dependencies, Package, Record
from brainsmith.plugins.integrity import digest_of, tree_files
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.packing import write_archive
from brainsmith.plugins.store import Store
from tests.plugins import hostile

ROOT = Path(__file__).parent.parent.parent


def make_plugin(folder: Path, name: str = "lens", version: str = "1.0.0", more: str = "") -> Path:
    """A plugin whose code, wherever it ran, would leave a file."""
    (folder / "src/lens").mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text(f"name: {name}\nversion: {version}\n{more}")
    proof = f"open({str(folder.parent / 'ran')!r}, 'w').close()\n"
    for place in ("setup.py", "src/lens/__init__.py", "src/lens/kernel.py", "conftest.py"):
        (folder / place).write_text(proof)
    (folder / "src/lens/lens.sv").write_text("module lens; endmodule\n" * 100)
    return folder


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return make_plugin(tmp_path / "lens")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder in memory where that is possible: hundreds of stores are written to the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def visible(store: Store) -> list[str]:
    """Everything in the store but its lock and the empty folder for preparation."""
    if not store.root.exists():
        return []
    return [
        name
        for name, _ in tree_files(store.root)
        if name != ".lock" and not name.endswith(f"/{RECORD}")
    ]


def test_installing_is_unpacking_and_a_record(plugin: Path, store: Store, tmp_path: Path) -> None:
    (plugin / ".git").mkdir()
    (plugin / ".git/config").write_text("secret")
    found = store.install(plugin)
    assert found.new
    assert found.folder == store.root / "lens/1.0.0"
    assert Manifest.read(found.folder / "brainsmith.yaml").name == "lens"
    files = {n: digest_of(path) for n, path in tree_files(found.folder) if n != RECORD}
    assert set(files) == {
        "brainsmith.yaml", "conftest.py", "setup.py",
        "src/lens/__init__.py", "src/lens/kernel.py", "src/lens/lens.sv",
    }  # fmt: skip
    record = Record.read(found.folder)
    assert record == found.record
    assert (record.name, record.version, record.source) == ("lens", "1.0.0", str(plugin))
    assert record.files == files
    assert record.content == tree_digest(files)
    assert record.archive == write_archive(plugin, tmp_path / "lens.bspkg")
    assert record.dependencies is None
    assert store.verify() == []
    assert not (tmp_path / "ran").exists()


def test_a_folder_and_its_package_are_the_same(plugin: Path, store: Store, tmp_path: Path) -> None:
    write_archive(plugin, tmp_path / "lens.bspkg")
    first = store.install(tmp_path / "lens.bspkg")
    second = store.install(plugin)
    assert (first.new, second.new) == (True, False)
    assert second.record == first.record
    assert len(list(store.folders())) == 1


def test_other_content_under_the_same_version_is_refused(plugin: Path, store: Store) -> None:
    store.install(plugin)
    (plugin / "src/lens/kernel.py").write_text("evil = 1\n")
    for version in ("1.0.0", "1.0", "1.0.0.0"):
        (plugin / "brainsmith.yaml").write_text(f"name: lens\nversion: '{version}'\n")
        with pytest.raises(PluginError, match="installed with other content") as error:
            store.install(plugin)
        assert "brainsmith uninstall lens==1.0.0" in str(error.value.hint)
    assert store.verify() == []


def test_versions_lie_side_by_side(plugin: Path, store: Store, tmp_path: Path) -> None:
    store.install(plugin)
    store.install(make_plugin(tmp_path / "next/lens", version="1.1.0"))
    assert [f.name for f in store.folders()] == ["1.0.0", "1.1.0"]
    with pytest.raises(ConfigurationError, match="2 versions") as error:
        store.uninstall("lens")
    assert error.value.hint == "say which: lens==1.0.0, lens==1.1.0"
    assert store.uninstall("lens==1.0").name == "1.0.0"
    assert store.uninstall("lens").name == "1.1.0"
    assert visible(store) == []


def test_what_may_not_be_read_is_told(plugin: Path, scratch: Path) -> None:
    scratch.chmod(0o755)
    store = Store(scratch / "store")
    folder = store.install(plugin).folder
    assert as_somebody_else(store.root) == "fine"
    for place, what in {
        folder / "src/lens/kernel.py": "differs", folder / "src/lens": "differs",
        folder: "differs", store.root: "error",
    }.items():  # fmt: skip
        mode = place.stat().st_mode
        place.chmod(0)
        try:
            assert as_somebody_else(store.root) == what
        finally:
            place.chmod(mode)


def as_somebody_else(root: Path) -> str:
    """What `verify` says to a user who is not root: "fine", "differs" or "error"."""
    child = os.fork()
    if not child:
        status = 3
        try:
            if os.geteuid() == 0:
                os.setresuid(65534, 65534, 65534)
            status = 1 if Store(root).verify() else 0
        except BrainsmithError:
            status = 2
        finally:
            os._exit(status)
    return ["fine", "differs", "error", "defect"][
        os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ]


@pytest.mark.parametrize("name", ["Lens", "LENS", "brainsmith", "BrainSmith"])
def test_a_name_that_imitates_another_is_refused(
    plugin: Path, store: Store, tmp_path: Path, name: str
) -> None:
    store.install(plugin)
    with pytest.raises(PluginError, match="can be taken for"):
        store.install(make_plugin(tmp_path / "other/lens", name))


def test_imitation_by_dash_and_dot(store: Store, tmp_path: Path) -> None:
    store.install(make_plugin(tmp_path / "a/x", "fast-lens"))
    for number, name in enumerate(("fast_lens", "fast.lens")):
        with pytest.raises(PluginError, match="can be taken for"):
            store.install(make_plugin(tmp_path / f"{number}/x", name))


def test_what_is_not_there_is_named_with_what_is_near(plugin: Path, store: Store) -> None:
    with pytest.raises(ConfigurationError, match="not installed") as error:
        store.uninstall("lense")
    assert error.value.hint == "no plugin is installed"
    assert not store.root.exists(), "asking writes nothing"
    store.install(plugin)
    with pytest.raises(ConfigurationError) as error:
        store.uninstall("lense")
    assert error.value.hint == "did you mean 'lens'?"
    with pytest.raises(ConfigurationError, match=r"version 1\.0\.1 of 'lens'") as error:
        store.uninstall("lens==1.0.1")
    assert error.value.hint == "did you mean '1.0.0'?"
    for text in ("../lens", "", ".partial", "lens/1.0.0", "."):
        with pytest.raises(ConfigurationError, match="is not installed"):
            store.uninstall(text)


def test_no_manifest_no_plugin(store: Store, tmp_path: Path) -> None:
    inside = tmp_path / "outer/lens"
    make_plugin(inside)
    with pytest.raises(PluginError, match="no manifest") as error:
        store.install(inside.parent)
    assert "it must lie at the top" in str(error.value.hint)
    with pytest.raises(ConfigurationError, match="no such file"):
        store.install(tmp_path / "missing.bspkg")
    (inside / "brainsmith.yaml").write_text("name: ../evil\nversion: 1.0.0\n")
    with pytest.raises(PluginError, match="name"):
        store.install(inside)
    (inside / "brainsmith.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(PluginError, match="not UTF-8"):
        store.install(inside)
    assert not store.root.exists()


def test_the_name_of_the_record_is_reserved(plugin: Path, store: Store) -> None:
    (plugin / "Installed.JSON").write_text("{}")
    with pytest.raises(PluginError, match="kept for the store"):
        store.install(plugin)


def test_hostile_archives_leave_nothing_in_the_store(store: Store, tmp_path: Path) -> None:
    for attack in hostile.corpus().values():
        (tmp_path / "evil.bspkg").write_bytes(attack.data)
        with pytest.raises(PluginError):
            store.install(tmp_path / "evil.bspkg")
        assert visible(store) == []
        assert not list(store.root.glob(".partial/*"))


def test_verify_names_what_has_changed(plugin: Path, store: Store) -> None:
    folder = store.install(plugin).folder
    (folder / "src/lens/kernel.py").write_text("evil = 1\n")
    (folder / "setup.py").unlink()
    (folder / "src/lens/extra.py").write_text("evil = 1\n")
    (folder / "src/lens/__pycache__").mkdir()
    (folder / "src/lens/__pycache__/kernel.cpython-311.pyc").write_text("evil")
    (folder / "conftest.py").unlink()
    (folder / "conftest.py").symlink_to(plugin / "conftest.py")
    (folder / "link").symlink_to(plugin)
    assert [(d.kind, Path(d.where).relative_to(folder).as_posix()) for d in store.verify()] == [
        ("unreadable", "conftest.py"),
        ("unreadable", "link"),
        ("missing", "setup.py"),
        ("extra", "src/lens/__pycache__/kernel.cpython-311.pyc"),
        ("extra", "src/lens/extra.py"),
        ("changed", "src/lens/kernel.py"),
    ]
    assert {d.plugin for d in store.verify()} == {"lens 1.0.0"}


def test_verify_trusts_no_record_that_contradicts_itself(plugin: Path, store: Store) -> None:
    folder = store.install(plugin).folder
    text = (folder / RECORD).read_text()
    facts = json.loads(text)
    evil = folder / "src/lens/kernel.py"
    evil.write_text("evil = 1\n")
    facts["files"]["src/lens/kernel.py"] = digest_of(evil)
    (folder / RECORD).write_text(json.dumps(facts))
    assert [(d.kind, d.what) for d in store.verify()] == [
        ("record", "the record contradicts itself")
    ]
    for damaged in (text[:100], "{}", text.replace('"schema": 1', '"schema": 2'), "\xff"):
        (folder / RECORD).write_text(damaged, encoding="latin-1")
        assert [d.kind for d in store.verify()] == ["record"]
        with pytest.raises(PluginError, match="record of this plugin is damaged"):
            store.install(plugin)
    (folder / RECORD).unlink()
    assert [d.kind for d in store.verify()] == ["record"]
    store.uninstall("lens")
    assert visible(store) == []


def test_a_folder_under_another_name_is_told(plugin: Path, store: Store) -> None:
    folder = store.install(plugin).folder
    folder.rename(folder.with_name("2.0.0"))
    assert [d.what for d in store.verify()] == ["the record is that of lens 1.0.0"]


# --- Dependencies -----------------------------------------------------------------------------


def fake_installation(requirements: object, target: Path) -> Dependencies:
    """What installing leaves, without a tool (test_dependencies.py has the tools)."""
    target.mkdir()
    (target / "glass.py").write_text(f"# {requirements}\n")
    package = Package(name="glass", version="1.0", hashes=("sha256:00",))
    files = {"glass.py": digest_of(target / "glass.py")}
    return Dependencies(tool="none", python="3", packages=(package,), files=files)


def test_dependencies_come_only_when_the_user_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def install(requirements: list[str], target: Path) -> Dependencies:
        asked.append(requirements)
        return fake_installation(requirements, target)

    monkeypatch.setattr(module, "install_dependencies", install)
    needs = (
        "dependencies: [glass>=1, brainsmith-plugin-frame>=1]\n"
        "kernels:\n- {name: L, module: lens.kernel, class: L, requires: [prism]}\n"
    )
    plugin = make_plugin(tmp_path / "lens", more=needs)
    store.install(make_plugin(tmp_path / "other/frame", "frame"))
    first = store.install(plugin)
    assert asked == []
    assert store.dependencies_of(first.folder) is None
    second = store.install(plugin, with_dependencies=True)
    assert asked == [["glass>=1", "prism"]], "the plugin 'frame' is there already"
    own = store.dependencies_of(second.folder)
    assert own == store.root / "lens/dependencies/1.0.0"
    assert Record.read(first.folder) == second.record
    assert second.record.dependencies is not None
    assert second.record.installed_at == first.record.installed_at
    assert store.verify() == []
    assert not store.install(plugin, with_dependencies=True).new
    assert len(asked) == 1
    (own / "glass.py").write_text("evil = 1\n")
    assert [(d.kind, d.where) for d in store.verify()] == [("changed", str(own / "glass.py"))]
    store.uninstall("lens")
    assert not (store.root / "lens").exists()


def test_dependencies_that_cannot_be_installed_leave_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = make_plugin(tmp_path / "lens", more="dependencies: ['x @ file:///tmp/x.whl']\n")
    assert module.install_dependencies is install_dependencies
    with pytest.raises(PluginError, match="names an address"):
        store.install(plugin, with_dependencies=True)
    assert visible(store) == []


# --- Whatever happens -------------------------------------------------------------------------


def in_a_child(action: Callable[[], object], at: int, event: Callable[[], None]) -> int:
    """Runs `action` in a forked child; before its `at`th step on files, `event` happens.

    Returns the child's exit status: 0 if `action` ended before, 1 for a StorageError, 2 for any
    other error, -9 if it was killed.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    steps = 0
    watched = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.scandir")

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if name in watched and not str(arguments[0]).endswith((".py", ".pyc")):
            steps += 1
            if steps == at:
                event()

    status = 2
    try:
        sys.addaudithook(hook)
        action()
        status = 0 if steps < at else 3
    except StorageError:
        status = 1
    finally:
        os._exit(status)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
def with_packages(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> Path:
    monkeypatch.setattr(module, "install_dependencies", fake_installation)
    return make_plugin(scratch / "lens", more="dependencies: [glass]\n")


def check_whole_or_absent(store: Store) -> bool:
    """Whether the plugin is there, which must be whole then."""
    folders = list(store.folders())
    assert store.verify() == []
    if folders:
        assert store.dependencies_of(folders[0]) is not None
    return bool(folders)


@pytest.mark.parametrize("dependencies_later", [False, True])
def test_a_process_that_is_killed_anywhere_leaves_a_whole_store(
    with_packages: Path, scratch: Path, dependencies_later: bool
) -> None:
    for at in range(1, 200):
        store = Store(scratch / f"store{at}")
        if dependencies_later:
            store.install(with_packages)
        ended = in_a_child(
            lambda s=store: s.install(with_packages, with_dependencies=True), at, die
        )
        assert ended in (0, -9)
        if not dependencies_later:
            check_whole_or_absent(store)
        found = store.install(with_packages, with_dependencies=True)
        assert found.record.dependencies is not None
        assert check_whole_or_absent(store)
        assert not list(store.root.glob(".partial/*")), "what was left is swept"
        if ended == 0:
            assert at > 20
            return
    pytest.fail("installing never ended")


def test_a_process_that_is_killed_while_it_uninstalls_leaves_a_whole_store(
    with_packages: Path, scratch: Path
) -> None:
    for at in range(1, 100):
        store = Store(scratch / f"store{at}")
        store.install(with_packages, with_dependencies=True)
        ended = in_a_child(lambda s=store: s.uninstall("lens"), at, die)
        assert ended in (0, -9)
        if check_whole_or_absent(store):
            store.uninstall("lens")
        assert store.install(with_packages, with_dependencies=True).new
        assert check_whole_or_absent(store)
        if ended == 0:
            assert at > 5
            return
    pytest.fail("uninstalling never ended")


def test_a_disk_that_fills_up_anywhere_is_a_storage_error(
    with_packages: Path, scratch: Path
) -> None:
    outcomes = []
    for at in range(1, 200):
        store = Store(scratch / f"store{at}")
        action = lambda s=store: s.install(with_packages, with_dependencies=True)  # noqa: E731
        outcomes.append(in_a_child(action, at, fail))
        there = check_whole_or_absent(store)
        if outcomes[-1] == 1:
            assert not there or at > 20, "an error after the plugin is in its place"
            if not there:
                assert visible(store) == []
        if outcomes[-1] == 0:
            break
    assert outcomes.count(1) > 20
    assert outcomes[-1] == 0


PROGRAM = """
import sys
from pathlib import Path
from brainsmith.errors import BrainsmithError
from brainsmith.plugins.store import Store
store = Store(Path(sys.argv[1]))
try:
    for source in sys.argv[2:]:
        print(store.install(Path(source)).new)
except BrainsmithError as error:
    print(type(error).__name__, error.what)
"""


def start(*arguments: Path | str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", PROGRAM, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_many_processes_install_at_once(store: Store, tmp_path: Path) -> None:
    same = make_plugin(tmp_path / "a/lens")
    other = make_plugin(tmp_path / "b/lens")
    (other / "src/lens/kernel.py").write_text("y = 2\n")
    sources = [same, same, other, make_plugin(tmp_path / "c/lens", version="2.0.0")]
    running = [start(store.root, source) for source in sources]
    said = [process.communicate(timeout=120)[0].strip() for process in running]
    assert said.count("True") == 2, said  # one of each version
    refused = sum(text.startswith("PluginError lens 1.0.0 is installed") for text in said)
    assert (refused, said.count("False")) in ((1, 1), (2, 0)), said
    assert store.verify() == []
    assert len(list(store.folders())) == 2
    assert not list(store.root.glob(".partial/*"))


def test_what_a_living_process_prepares_is_not_swept(plugin: Path, store: Store) -> None:
    code = """
        import sys, time
        from pathlib import Path
        from brainsmith.plugins.staging import Staging
        with Staging(Path(sys.argv[1])).partial() as folder:
            (folder / "x").touch()
            print(folder, flush=True)
            time.sleep(600)
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), store.root],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    store.install(plugin)
    assert (folder / "x").exists()
    process.kill()
    process.wait()
    process.stdout.close()
    store.uninstall("lens")
    assert not list(store.root.glob(".partial/*"))


def test_a_limit_on_the_size_of_files_is_a_storage_error(plugin: Path, store: Store) -> None:
    (plugin / "weights.bin").write_bytes(os.urandom(100_000))
    process = start(store.root, plugin, prefix=("bash", "-c", 'ulimit -f 50; exec "$@"', "bash"))
    said, complaint = process.communicate(timeout=60)
    assert "StorageError a file cannot be written: File too large" in said, complaint
    assert visible(store) == []


def in_a_namespace(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script that may mount file systems; skips where that is not allowed."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("no mount namespaces here")
    return subprocess.run(
        ["unshare", "-rm", "bash", "-ec", script, "bash", sys.executable, PROGRAM,
         *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_full_disk_is_a_storage_error(plugin: Path, store: Store) -> None:
    store.root.mkdir()
    (plugin / "weights.bin").write_bytes(os.urandom(300_000))
    script = (
        'mount -t tmpfs -o size=128k x "$3"; "$1" -c "$2" "$3" "$4"; cd "$3"; find . -type f; '
        "df --output=used . | tail -1"
    )
    done = in_a_namespace(script, store.root, plugin)
    lines = done.stdout.splitlines()
    assert "StorageError a file cannot be written: No space left" in lines[0], done.stderr
    assert lines[1:] == ["./.lock", lines[-1]]
    assert int(lines[-1]) < 16


def test_a_store_that_is_read_only_is_a_storage_error(plugin: Path, store: Store) -> None:
    store.install(plugin)
    other = make_plugin(plugin.parent / "other/lens", version="2.0.0")
    script = 'mount --bind "$3" "$3"; mount -o remount,ro,bind "$3"; "$1" -c "$2" "$3" "$4"'
    done = in_a_namespace(script, store.root, other)
    assert done.stdout.startswith("StorageError a file cannot be written: Read-only"), (
        done.stdout + done.stderr
    )
    assert store.verify() == []


def test_a_file_in_the_place_of_the_store_is_a_storage_error(plugin: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError) as error:
        Store(tmp_path / "file").install(plugin)
    assert error.value.hint
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(BrainsmithError):
        Store(tmp_path / "file/below").install(plugin)
