"""A program with one thread that forks children, each of which confines itself and acts.

It reads a request a line (JSON) and answers with how the act ended. Forking in the tests' own
process would copy the locks of its other threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any, NoReturn

import acts

from brainsmith.sandbox import confinement, landlock, privileges

REPORT = 9


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(_serve(json.loads(line))), flush=True)


def _serve(request: dict[str, Any]) -> dict[str, Any]:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _act(request, write)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    answer = json.loads(said) if said else {}
    return (
        {**answer, "signal": signal.Signals(-code).name} if code < 0 else {**answer, "code": code}
    )


def _act(request: dict[str, Any], report: int) -> NoReturn:
    os.dup2(report, REPORT)
    try:
        answer = {"value": _value(request)}
    except OSError as error:
        answer = {"errno": error.errno, "text": str(error)}
    except BaseException as error:
        answer = {"error": type(error).__name__, "text": traceback.format_exc()}
    os.write(REPORT, json.dumps(answer).encode())
    os._exit(0)


def _value(request: dict[str, Any]) -> Any:
    if request["uid"] is not None:
        os.setgroups([])
        os.setgid(request["uid"])
        os.setuid(request["uid"])
        privileges.dumpable()
    if request["old"] is not None:
        landlock.abi = lambda: request["old"]  # as an older kernel, which has less to offer
    if request["confinement"] is not None:
        c = confinement.Confinement.from_dict(request["confinement"])
        confinement.confine(c, keep=(0, 1, 2, REPORT))
    return getattr(acts, request["act"])(*request["arguments"])


if __name__ == "__main__":
    main()
