"""Running tools: output, failures, timeouts, the log."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brainsmith.errors import StorageError, ToolError
from brainsmith.toolchains.process import BuildLog, Stop, run
from brainsmith.toolchains.tools import Tool

PYTHON = Tool("python", "3", "", (sys.executable, "-c"), Path(sys.executable), hint="look again")


def test_output_of_both_streams_is_captured_and_logged(tmp_path: Path) -> None:
    log = BuildLog()
    script = "import sys; print('one'); print('two', file=sys.stderr)"
    status, output = run(PYTHON, [script], purpose="a test", cwd=tmp_path, log=log)
    assert status == 0
    assert sorted(output.split()) == ["one", "two"]
    log.cached(PYTHON, "another test")
    log.write(tmp_path / "build.log")
    text = (tmp_path / "build.log").read_text()
    assert "== a test | python 3 | " in text
    assert "$ " + sys.executable in text
    assert "== another test | python 3 | cached" in text
    assert [path.name for path in tmp_path.iterdir()] == ["build.log"]


def test_a_failure_shows_the_command_and_the_last_lines(tmp_path: Path) -> None:
    script = "print('line\\n' * 100 + 'it broke'); raise SystemExit(3)"
    with pytest.raises(ToolError, match="exit status 3") as caught:
        run(PYTHON, [script], purpose="a test", cwd=tmp_path)
    assert "it broke" in str(caught.value)
    assert "command: " in str(caught.value)
    assert "hint: look again" in str(caught.value)
    assert str(caught.value).count("line\n") < 20


def test_a_full_disk_in_a_tool_is_a_storage_error(tmp_path: Path) -> None:
    script = "raise SystemExit('fatal error: x.o: No space left on device')"
    with pytest.raises(StorageError, match="disk is full"):
        run(PYTHON, [script], purpose="a test", cwd=tmp_path)


def test_a_tool_that_is_not_there(tmp_path: Path) -> None:
    tool = Tool("frobnicate", "1", "", ("/no/such/frobnicate",), Path("/no"), hint="install it")
    with pytest.raises(ToolError, match="frobnicate was not found"):
        run(tool, [], purpose="a test", cwd=tmp_path)


def grandchild(marker: Path) -> str:
    """A script that starts a process that would write `marker` a moment later."""
    inner = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(marker)!r}).touch()"
    return (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {inner!r}]);"
        "print('started', flush=True); time.sleep(60)"
    )


def test_a_timeout_kills_the_whole_process_group(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(ToolError, match="took longer than"):
        run(PYTHON, [grandchild(marker)], purpose="a test", cwd=tmp_path, timeout=0.8)
    time.sleep(1.5)
    assert not marker.exists()


def test_an_interrupt_kills_the_whole_process_group(tmp_path: Path) -> None:
    marker = tmp_path / "marker"

    def interrupt(line: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(PYTHON, [grandchild(marker)], purpose="a test", cwd=tmp_path, on_line=interrupt)
    time.sleep(2)
    assert not marker.exists()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_a_tool_ends_when_our_process_is_killed(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    ours = (
        "import sys; from pathlib import Path\n"
        "from brainsmith.toolchains.process import run\n"
        "from brainsmith.toolchains.tools import Tool\n"
        "tool = Tool('python', '3', '', (sys.executable, '-c'), Path(sys.executable))\n"
        f"script = 'import time, pathlib; time.sleep(2); pathlib.Path({str(marker)!r}).touch()'\n"
        f"run(tool, [script], purpose='a test', cwd=Path({str(tmp_path)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", ours])
    time.sleep(1)
    process.kill()
    process.wait()
    time.sleep(2)
    assert not marker.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set on Linux only")
def test_a_tool_cannot_use_all_memory(tmp_path: Path) -> None:
    script = "import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert int(run(PYTHON, [script], purpose="a test", cwd=tmp_path)[1]) == pages // 2


def test_stop_ends_a_tool_from_another_thread(tmp_path: Path) -> None:
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(ToolError, match="was stopped"):
        run(PYTHON, ["import time; time.sleep(60)"], purpose="a test", cwd=tmp_path, stop=stop)


def test_a_line_without_an_end_is_cut_where_it_would_fill_the_memory(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "for _ in range(64): sys.stdout.write('x' * (1 << 20))\n"
        "print()\n"
        "print('y' * (1 << 20))\n"
        "print('end')\n"
    )
    _, output = run(PYTHON, [script], purpose="a test", cwd=tmp_path)
    lines = output.split("\n")
    assert lines[-1] == "end"
    assert len(lines) > 100
    assert max(map(len, lines)) <= 1 << 17
