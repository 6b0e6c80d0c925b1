"""Runs all attacks on the sandbox and writes the page of verdicts, docs/sandbox-attacks.md.

`python tools/attack_table.py [FILE]`, as root on a machine that has nothing to lose: the control
arms do what the sandbox prevents, to targets of their own.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from brainsmith.sandbox import landlock  # noqa: E402
from brainsmith.sandbox.levels import Level  # noqa: E402
from brainsmith.sandbox.report import proof  # noqa: E402
from tests.sandbox.attacks import all as run  # noqa: E402
from tests.sandbox.attacks.case import Attack  # noqa: E402
from tests.sandbox.attacks.table import ATTACKS, ELSEWHERE, ROWS  # noqa: E402

PAGE = ROOT / "docs" / "sandbox-attacks.md"
_HEAD = """# Attacks on the sandbox

What was tried against the [sandbox](sandbox.md), and what came of it. Each attack is a function
that a hostile plugin could have; they are tests too, in `tests/sandbox/attacks`, and
`python tools/attack_table.py` runs all of them and writes this page.

*Alone* says whether an attack succeeds in a process like any other: one that does not proves
nothing. The other columns are verdicts of the host, by what it sees itself, never by what the
attacker says. L1 is no security boundary, and is here to show what the others are good for.

| verdict | what happened |
|---|---|
| DENY and a rule | a system call was refused, the call ended, and the caller told which |
| LIMIT, KILL and a limit | the call was ended at its limit |
| DIED | the process ended, and nothing else |
| REJECT | the answer was none |
| UNCONFINED | it claimed that it could not be confined: the call is refused |
| CONTAIN | it ran on, without any effect; an error that it met is named |
| OPEN | it succeeded |

Each rule was also left out in turn: then at least one of its attacks gets another verdict.
"""


def main() -> None:
    levels = [level for level in Level if Level.L0 < level < Level.L5 and not proof(level)[1]]
    controls, verdicts = run.controls(), run.verdicts(levels)
    page = Path(sys.argv[1]) if sys.argv[1:] else PAGE
    page.write_text("\n".join(_lines(levels, controls, verdicts)) + "\n")


def _lines(
    levels: list[Level],
    controls: Mapping[str, bool | None],
    verdicts: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    yield _HEAD
    yield (
        f"This machine: Linux {platform.release()}, {platform.machine()}, Landlock ABI "
        f"{landlock.abi()}, user {os.getuid()}; {len(ATTACKS)} attacks.\n"
    )
    names = [level.name for level in levels]
    yield f"| | attack | rule | alone | {' | '.join(names)} |"
    yield "|---" * (4 + len(names)) + "|"
    for row, title in ROWS.items():
        yield f"| {row} | **{title}** |{' |' * (2 + len(names))}"
        for attack in ATTACKS:
            if attack.row == row:
                alone = _ALONE[controls[attack.name]]
                seen = [verdicts[name][attack.name] for name in names]
                yield f"| | `{attack.act}` | {_rule(attack)} | {alone} | {' | '.join(seen)} |"
        for file, test in ELSEWHERE.get(row, ()):
            yield f"| | tests/{file}: `{test}` |{' |' * (2 + len(names))}"
    yield "\n## What stands open, and what has no control arm\n"
    for attack in ATTACKS:
        if attack.why:
            yield f"- {attack.row}, `{attack.act}`: {attack.why}."
    yield (
        "- 110, timing: what other processes do shows in the times of shared caches and files. "
        "Nothing here stands against it."
    )


_ALONE = {True: "succeeds", False: "fails", None: "not run"}


def _rule(attack: Attack) -> str:
    return ", ".join(attack.rules) or "-"


if __name__ == "__main__":
    main()
