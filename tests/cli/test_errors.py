"""Errors: what is printed, and which code a process ends with."""

from __future__ import annotations

import errno
import io
import json
from typing import TYPE_CHECKING

import pytest

from brainsmith.cli.errors import describe, present_error
from brainsmith.errors import BrainsmithError, ModelError, SandboxViolation, StorageError

if TYPE_CHECKING:
    from conftest import Brainsmith


def kinds() -> list[type[BrainsmithError]]:
    return [BrainsmithError, *BrainsmithError.__subclasses__()]


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_ends_with_its_own_code(
    kind: type[BrainsmithError], capsys: pytest.CaptureFixture[str]
) -> None:
    rule = {"rule": "files"} if kind is SandboxViolation else {}
    error = kind("the weight is NaN", where="MatMul_0", hint="train again", **rule)
    assert present_error(error, io.StringIO(), as_json=False, debug=False) == kind.exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    for part in ("error: the weight is NaN", "where: MatMul_0", "hint: train again"):
        assert part in captured.err
    assert "Traceback" not in captured.err


def test_markup_in_a_message_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    present_error(ModelError("no [red]input[/red]"), io.StringIO(), as_json=False, debug=False)
    assert "no [red]input[/red]" in capsys.readouterr().err


def test_json_gets_one_object() -> None:
    stream = io.StringIO()
    error = ModelError("no such file", where="m.onnx")
    assert present_error(error, stream, as_json=True, debug=False) == 3
    assert json.loads(stream.getvalue()) == {
        "success": False,
        "error": {
            "kind": "ModelError", "what": "no such file", "where": "m.onnx", "hint": None,
            "exit_code": 3,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EFBIG]
)
def test_a_disk_that_cannot_be_written_is_a_storage_error(number: int) -> None:
    facts = describe(OSError(number, "no luck", "out/report.json"))
    assert facts["kind"] == "StorageError"
    assert facts["exit_code"] == StorageError.exit_code
    assert facts["where"] == "out/report.json"


def test_ctrl_c_is_no_error_of_ours() -> None:
    assert describe(KeyboardInterrupt())["exit_code"] == 130


def test_what_nobody_foresaw_asks_for_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        {}["missing"]
    except KeyError as error:
        assert present_error(error, io.StringIO(), as_json=False, debug=True) == 1
    text = capsys.readouterr().err
    assert "unexpected KeyError" in text
    assert "--debug" in text
    assert "Traceback" in text


def test_a_reader_that_leaves_early_is_no_error(brainsmith: Brainsmith) -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m brainsmith targets | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""
