"""`--sandbox`, `--grant` and `--plugin-output`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brainsmith.cli.plugin_output import shown
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.record import CallRecord
from tests.plugins.folders import write_plugin

if TYPE_CHECKING:
    from conftest import Brainsmith

ROOT = Path(__file__).parent.parent.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
COMMANDS = [["compile", DIGITS], ["explain", DIGITS], ["search", "--model", DIGITS]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
@pytest.mark.parametrize(
    ("options", "where", "said"),
    [
        (["--sandbox", "L8"], "--sandbox", "unknown sandbox level 'L8'"),
        (["--grant", "lens"], "--grant", "'lens' is no grant"),
        (["--grant", "lens:memory=-4"], "--grant", "memory cannot be -4"),
        (["--grant", "lens:read=/proc"], "--grant", "never given"),
        (["--grant", "brainsmiht:memory=1GiB"], "--grant", "did you mean 'brainsmith'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    brainsmith: Brainsmith,
    tmp_path: Path,
    command: list[str | Path],
    options: list[str],
    where: str,
    said: str,
) -> None:
    ran = brainsmith(*command, *options, "--json")
    assert ran.code == 4, ran.err
    error = ran.json["error"]
    assert error["where"] == where
    assert said in f"{error['what']} {error['hint']}"
    assert list(tmp_path.iterdir()) == []


def test_a_search_without_a_model_runs_nothing_that_could_be_confined(
    brainsmith: Brainsmith,
) -> None:
    assert brainsmith("search", "--sandbox", "L1").code == 2
    assert brainsmith("search", "--grant", "lens:memory=1").code == 2


def test_a_project_that_lowers_the_guard_is_refused(brainsmith: Brainsmith, tmp_path: Path) -> None:
    (tmp_path / "brainsmith.toml").write_text('[sandbox]\nrequire = "L1"\n')
    ran = brainsmith("explain", DIGITS, "--json")
    assert ran.code == 4
    assert "--sandbox L1" in ran.json["error"]["hint"]


def test_a_grant_for_a_plugin_that_is_there_is_taken(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    write_plugin(tmp_path / "brainsmith_plugins/lens", "lens")
    ran = brainsmith("explain", DIGITS, "--grant", "lens:memory=4GiB", "--grant", "lens:read=x")
    assert ran.code == 0, ran.err


@pytest.mark.slow
def test_a_level_that_was_lowered_by_name_is_in_the_report(
    brainsmith: Brainsmith, tmp_path: Path
) -> None:
    command = ("compile", DIGITS, "--no-synthesize", "--no-verify", "--output", "out")
    ran = brainsmith(*command, "--sandbox", "L1", "--plugin-output", "--json")
    assert ran.code == 0, ran.err
    sandbox = ran.json["sandbox"]
    assert (sandbox["level"], sandbox["required"], sandbox["lowered"]) == ("L1", "L3", True)
    assert sandbox["plugins"] == []
    assert "no plugin has printed anything" in ran.err
    assert "by name; L3 would be required" in brainsmith(*command, "--sandbox", "L1").out
    assert brainsmith(*command, "--json").json["sandbox"] is None


def test_what_plugins_printed_comes_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    record = CallRecord("lens", "transform Fold", Level.L3, 0.1, 0.1, 1, "folded 3 nodes")
    for wanted in (True, False):
        with pytest.raises(ZeroDivisionError), shown(wanted) as ledger:
            ledger.add(record)
            raise ZeroDivisionError
        out, err = capsys.readouterr()
        assert out == ""
        assert err == ("== lens | transform Fold | 0.10 s\n  folded 3 nodes\n" if wanted else "")
