"""Standard output holds the result and nothing else."""

from __future__ import annotations

import subprocess
import sys

NOISE = """
import os, subprocess, sys
from brainsmith.cli.outcome import Outcome, results_only
with results_only(apart=True) as stream:
    sys.stdout.write("a library prints\\n")
    os.write(1, b"C prints\\n")
    subprocess.run(["echo", "a tool prints"], check=True)
    Outcome({"success": True}, lambda console: None, 3).present(stream, as_json=True)
sys.stdout.write("after\\n")
"""


def test_what_libraries_and_tools_print_goes_to_standard_error() -> None:
    done = subprocess.run([sys.executable, "-c", NOISE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{\n  "success": true\n}\nafter\n'
    assert set(done.stderr.split("\n")) >= {"a library prints", "C prints", "a tool prints"}
