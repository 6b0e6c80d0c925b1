"""The control arm: runs one act in a plain process, where nothing stands against it.

`python control.py FUNCTION FACTS RESULT STATUS ANSWER`: the last three are descriptors. What the
act returns goes to RESULT as JSON; STATUS and ANSWER get the numbers that a worker would have.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import sys
from pathlib import Path

_ASIDE = 64


def main() -> None:
    function, facts = sys.argv[1], json.loads(sys.argv[2])
    result, status, answer = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, _ASIDE) for fd in sys.argv[3:6])
    os.dup2(status, 3)
    os.dup2(answer, 4)
    sys.path.insert(0, str(Path(__file__).parent))
    module, _, name = function.partition(":")
    value = getattr(importlib.import_module(f"acts.{module}"), name)(facts)
    os.write(result, json.dumps(value, default=repr).encode())


if __name__ == "__main__":
    main()
