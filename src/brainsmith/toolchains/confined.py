"""Calls of tools on sources that are not ours: where they may write, and what they are told.

A tool runs no code of its sources, but a mistake of its would, and a simulation is made of them. So
both reach their own folder and what they need themselves, and nothing else (`sandbox.launching`).
Whether a tool ran confined changes none of its results, and is no part of what they are cached by.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox import launching
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains.reach import SEARCHED, reach, real
from brainsmith.toolchains.tools import Tool

# Of the user's variables only what can change results; others may be secrets.
_KEPT = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "SOURCE_DATE_EPOCH"),
    *("GCC_EXEC_PREFIX", *SEARCHED),
)


_preparing = threading.Lock()


@dataclass(frozen=True)
class Confined:
    """How a call of a tool is confined.

    Attributes:
        level: from L3 on with all that there is; at L2 it may read and write everywhere, at L1 it
            has limits only.
        folder: the one folder that it may change.
        readable: further files and folders.
        starts: whether it may start other programs, which a simulation may not.
    """

    level: Level
    folder: Path
    readable: tuple[Path, ...] = ()
    starts: bool = True


def command(tool: Tool, arguments: Sequence[str], how: Confined) -> tuple[str, ...]:
    """The command that confines itself and then becomes the tool.

    Raises:
        PluginSecurityError: this machine cannot confine it so.
    """
    lacking = launching.lacking(how.level)
    if lacking is not None:
        raise PluginSecurityError(
            f"this machine cannot confine tools at {how.level.name}: {lacking}",
            where=tool.name,
            hint="`brainsmith doctor` says what it can do; `--sandbox LEVEL` runs plugins and the "
            "tools on their sources at a lower level, which protects you less",
        )
    needed = reach(tool)
    given = launching.Launch(
        level=how.level,
        profile="build" if how.starts else "simulate",
        readable=(*needed.readable, *real(how.readable)),
        writable=(*real([how.folder]), os.devnull),
        executable=needed.executable,
    )
    return launching.launched(given, (*tool.command, *arguments))


def environment(
    tool: Tool, how: Confined, temporary: Path, env: Mapping[str, str]
) -> dict[str, str]:
    """All variables of a confined tool.

    Args:
        temporary: a folder inside its own.
        env: variables of the call.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own = {"HOME": str(temporary), "TMPDIR": str(temporary), "CCACHE_DISABLE": "1"}
    if tool.kind == "package":
        # Else its runtime opens every folder for it; now its root is the folder of the call.
        own["YOWASP_MOUNT"] = f"/={os.path.realpath(how.folder)}"
    return {**kept, **own, **tool.env, **env}


def prepare(tool: Tool) -> None:
    """Has a tool in WebAssembly compiled and kept: a confined call can keep nothing."""
    cache = tool.env.get("YOWASP_CACHE_DIR")
    if tool.kind != "package" or cache is None:
        return
    runtime = metadata.version("wasmtime")
    done = Path(cache) / f"{tool.path.name}-{tool.version}-wasmtime-{runtime}"
    with _preparing:  # two at a time would do the same
        if done.exists():
            return
        env = {**os.environ, **tool.env}
        subprocess.run((*tool.command, "--version"), env=env, capture_output=True, check=True)
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()
