"""`brainsmith develop`: what it finds, what it survives, and that nothing is left of it."""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brainsmith.pdk.answers import checked
from brainsmith.pdk.create import create
from brainsmith.pdk.develop import linting
from brainsmith.pdk.develop.affected import affected
from brainsmith.pdk.develop.checking import ORDER, Checker
from brainsmith.pdk.develop.verdict import Check, Verdict
from tests.pdk.conftest import Run
from tests.pdk.test_create import KINDS

KERNEL = "src/mine/kernel.py"
HARDWARE = "src/mine/hdl/mine_lane.sv"
TEST = """\
from mine.kernel import Mine


def test_it() -> None:
    assert Mine().latency([None, None]) == [1, 1]
"""
WARNS = """\
import warnings

from hypothesis import given
from hypothesis.strategies import integers


@given(integers())
def test_it(number: int) -> None:
    warnings.warn("old", stacklevel=1)
"""
WAIT_S = 60


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin whose tests take no time."""
    folder = tmp_path / "mine"
    create(checked("mine", "kernel", "add", "Ada", "MIT", "Adds"), folder)
    (folder / "tests" / "test_kernel.py").write_text(TEST)
    return folder


class Watch:
    """A `brainsmith develop --watch --json` that runs."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "brainsmith", "develop", str(folder), "--watch", "--json"]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.folder = folder

    def verdict(self) -> dict[str, object]:
        """The next one."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], WAIT_S)
        assert ready, f"no verdict within {WAIT_S} s"
        line = self.process.stdout.readline()
        assert line, "the watcher has ended"
        found: dict[str, object] = json.loads(line)
        return found

    def save(self, name: str, text: str) -> dict[str, object]:
        (self.folder / name).write_text(text)
        return self.verdict()


@pytest.fixture
def watch(plugin: Path) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def start(*options: str) -> Watch:
        started.append(Watch(plugin, *options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGINT)
            try:
                one.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                one.process.kill()
                raise


def states(verdict: dict[str, object]) -> dict[str, str]:
    checks = verdict["checks"]
    assert isinstance(checks, list)
    return {check["name"]: check["state"] for check in checks}


def findings(verdict: dict[str, object], name: str) -> str:
    checks = verdict["checks"]
    assert isinstance(checks, list)
    (check,) = [check for check in checks if check["name"] == name]
    return "\n".join(f"{f['where']}: {f['what']} | {f['source']}" for f in check["findings"])


def test_a_plugin_is_checked_once(plugin: Path, brainsmith: Run) -> None:
    shown = brainsmith("develop", cwd=plugin / "src").stdout
    assert "✓ Plugin loaded: Mine" in shown and "✓ SystemVerilog: lint clean" in shown
    assert "✓ Python: lint clean" in shown and "✓ Tests: 1 passed" in shown


def test_what_is_wrong_is_told_with_its_line(plugin: Path, brainsmith: Run) -> None:
    (plugin / "tests" / "test_kernel.py").write_text(TEST.replace("[1, 1]", "[2, 2]"))
    lane = (plugin / HARDWARE).read_text()
    (plugin / HARDWARE).write_text(lane.replace("assign y =", "assign y = 3'd1 +"))
    (plugin / KERNEL).write_text((plugin / KERNEL).read_text() + "import os\n")
    done = brainsmith("develop", "--json", cwd=plugin, expect=5)
    verdict = json.loads(done.stdout)
    assert states(verdict) == {
        "load": "passed",
        "python": "failed",
        "hdl": "failed",
        "tests": "failed",
    }
    assert "WIDTHTRUNC" in findings(verdict, "hdl") and "assign y = 3'd1" in findings(
        verdict, "hdl"
    )
    assert "F401" in findings(verdict, "python") and "| import os" in findings(verdict, "python")
    assert "test_kernel.py:5" in findings(verdict, "tests")
    assert "assert [1, 1] == [2, 2]" in findings(verdict, "tests")


def test_what_the_tests_load_is_as_without_us(plugin: Path, brainsmith: Run) -> None:
    settings = (plugin / "pyproject.toml").read_text()
    table = "[tool.pytest.ini_options]\n"
    assert table in settings
    strict = settings.replace(table, f'{table}filterwarnings = ["error"]\n')
    (plugin / "pyproject.toml").write_text(strict)
    brainsmith("develop", "--json", cwd=plugin)
    (plugin / "tests" / "test_kernel.py").write_text(WARNS)
    done = brainsmith("develop", str(plugin), "--json", cwd=plugin.parent, expect=5)
    assert "UserWarning: old" in findings(json.loads(done.stdout), "tests")
    assert (plugin / ".hypothesis").is_dir() and not (plugin.parent / ".hypothesis").exists()


def test_a_missing_permission_shows_at_once(plugin: Path, brainsmith: Run) -> None:
    text = (plugin / KERNEL).read_text()
    (plugin / KERNEL).write_text(text + '\nHOST = open("/etc/hostname").read()\n')
    done = brainsmith("develop", "--json", cwd=plugin, expect=10)
    assert "/etc/hostname" in findings(json.loads(done.stdout), "load")


def test_source_that_the_compiler_refuses_is_found(plugin: Path, brainsmith: Run) -> None:
    lane = (plugin / HARDWARE).read_text()
    (plugin / HARDWARE).write_text(lane.replace("endmodule", 'initial $system("id");\nendmodule'))
    done = brainsmith("develop", "--json", cwd=plugin, expect=5)
    assert "$system" in findings(json.loads(done.stdout), "hdl")


@pytest.mark.slow
def test_each_save_has_its_verdict(plugin: Path, watch: Callable[..., Watch]) -> None:
    text = (plugin / KERNEL).read_text()
    watcher = watch()
    assert set(states(watcher.verdict()).values()) == {"passed"}
    # A syntax error: told with its line, and gone with the next save.
    wrong = watcher.save(KERNEL, text.replace("def latency(self", "def latency(self("))
    assert states(wrong)["load"] == states(wrong)["tests"] == "failed"
    assert f"{KERNEL}:" in findings(wrong, "load") and wrong["changed"] == [KERNEL]
    good = watcher.save(KERNEL, text)
    assert good["success"] and states(good)["hdl"] == "skipped"
    # An error at the import, in the sandbox and in the tests.
    wrong = watcher.save(KERNEL, text + "\nimport not_there_at_all\n")
    assert "not_there_at_all" in findings(wrong, "load")
    assert "not_there_at_all" in findings(wrong, "tests")
    # A component that ends its process: the worker dies, and nothing else.
    wrong = watcher.save(KERNEL, text + "\nimport ctypes\nctypes.string_at(0)\n")
    assert "crashed" in findings(wrong, "load") and "SIGSEGV" in findings(wrong, "load")
    assert "was killed by SIGSEGV" in findings(wrong, "tests")
    assert watcher.save(KERNEL, text)["success"]
    # Hardware: Python is left alone.
    lane = (plugin / HARDWARE).read_text()
    assert states(watcher.save(HARDWARE, lane + "\n"))["python"] == "skipped"


@pytest.mark.slow
def test_what_never_ends_is_ended(plugin: Path, watch: Callable[..., Watch]) -> None:
    manifest = (plugin / "brainsmith.yaml").read_text()
    (plugin / "brainsmith.yaml").write_text(
        manifest + "\npermissions:\n  cpu_time: 2\n  wall_time: 30\n"
    )
    watcher = watch("--test-timeout", "15")
    assert watcher.verdict()["success"]
    text = (plugin / KERNEL).read_text()
    wrong = watcher.save(KERNEL, text + "\nwhile True:\n    pass\n")
    assert "limit of 2 s of processor time" in findings(wrong, "load")
    assert "take longer than 15 s" in findings(wrong, "tests")
    assert watcher.save(KERNEL, text)["success"]


@pytest.mark.slow
def test_a_later_save_ends_an_older_check(plugin: Path, watch: Callable[..., Watch]) -> None:
    watcher = watch()
    watcher.verdict()
    slow = plugin / "tests" / "test_slow.py"
    slow.write_text("import time\n\ndef test_it() -> None:\n    time.sleep(50)\n")
    time.sleep(2)
    start = time.monotonic()
    slow.write_text("def test_it() -> None: ...\n")
    verdict = watcher.verdict()
    assert time.monotonic() - start < 20
    assert verdict["success"] and "tests/test_slow.py" in verdict["changed"]  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_ends(
    plugin: Path, watch: Callable[..., Watch], how: signal.Signals
) -> None:
    watcher = watch()
    watcher.verdict()
    (plugin / "tests" / "test_slow.py").write_text(
        "import subprocess\n\ndef test_it() -> None:\n    subprocess.run(['sleep', '97531'])\n"
    )
    deadline = time.monotonic() + WAIT_S
    while not sleepers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sleepers()
    watcher.process.send_signal(how)
    watcher.process.wait(WAIT_S)
    while sleepers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not sleepers()


def sleepers() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x0097531\x00":
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_no_manifest_here(brainsmith: Run) -> None:
    assert "there is no brainsmith.yaml here" in brainsmith("develop", "--watch", expect=4).stderr


def test_which_tests_a_change_touches(plugin: Path) -> None:
    tests = plugin / "tests"
    (tests / "test_other.py").write_text("import json\n")
    (tests / "test_rtl.py").write_text("from mine.backends import rtl\n")
    (plugin / "src" / "mine" / "tables.py").write_text("")
    (tests / "test_tables.py").write_text("import mine.tables\n")
    assert affected(plugin, ["src/mine/tables.py"]) == ["tests/test_tables.py"]
    assert affected(plugin, [KERNEL]) is None  # the manifest names it
    assert affected(plugin, ["src/mine/backends/rtl.py"]) is None  # which imports this
    assert affected(plugin, ["tests/test_other.py"]) == ["tests/test_other.py"]
    assert affected(plugin, [HARDWARE]) is None
    assert affected(plugin, ["docs/README.md", "examples/example_usage.py"]) == []
    assert affected(plugin, ["brainsmith.yaml"]) is None
    assert affected(plugin, ["tests/conftest.py"]) is None
    (plugin / KERNEL).write_text("def (")  # what cannot be read may concern all
    assert affected(plugin, [KERNEL]) is None
    (plugin / "brainsmith.yaml").write_text("{")
    assert affected(plugin, ["src/mine/tables.py"]) is None


@pytest.mark.parametrize(("type", "operation"), KINDS)
def test_no_source_of_a_template_is_without_tests(
    type: str, operation: str, tmp_path: Path
) -> None:
    files = create(checked("mine", type, operation, "Ada", "MIT", "Adds"), tmp_path / "new")
    sources = [name for name in files if name.startswith("src/")]
    assert "src/mine/__init__.py" in sources
    for name in sources:
        assert affected(tmp_path / "new", [name]) != [], name


def test_a_link_in_the_plugin_is_a_finding(plugin: Path) -> None:
    (plugin / "docs" / "notes").symlink_to("/etc")
    verdict = check(plugin)
    assert {one.name for one in verdict.checks if one.state == "failed"} == {"hdl"}
    (finding,) = verdict.checks[ORDER.index("hdl")].findings
    assert "no links" in finding.what and finding.where.endswith("docs/notes")


def test_a_file_that_goes_away_meanwhile_is_a_finding(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = linting.package_files

    def goes(folder: Path) -> dict[str, Path]:
        found = listed(folder)
        (folder / HARDWARE).unlink()
        return found

    monkeypatch.setattr(linting, "package_files", goes)
    (finding,) = check(plugin).checks[ORDER.index("hdl")].findings
    assert finding.what.startswith("FileNotFoundError") and HARDWARE in finding.what


def check(plugin: Path) -> Verdict:
    """All checks, without its tests."""
    shutil.rmtree(plugin / "tests")
    shown: list[Check] = []
    verdict = Checker(plugin, 60).run(None, threading.Event(), shown.append)
    assert sorted(one.name for one in shown) == sorted(ORDER)
    return verdict
