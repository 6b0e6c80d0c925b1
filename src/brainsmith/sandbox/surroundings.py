"""What workers have around them: the environment, the modules, and the files of the Python here."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig

import brainsmith

# Modules that nearly every call needs, loaded once, in the zygote.
PRELOAD = (
    "brainsmith.sandbox.worker",
    "brainsmith.sandbox.codec",
    "brainsmith.sandbox.foreign",
    "brainsmith.sandbox.objects",
    "brainsmith.api.decorators",
    "brainsmith.plugins.inside",
    "numpy.random",
    "brainsmith.model.chains",
    "brainsmith.model.shapes",
    "onnx_ir.passes.common",
    "qonnx.core.onnx_exec",
    "qonnx.custom_op.general",
    "onnx.shape_inference",
    "onnxruntime",
    "qonnx.core.modelwrapper",
    "qonnx.transformation.general",
    "qonnx.transformation.infer_shapes",
    "qonnx.transformation.infer_datatypes",
)
# Those that the others import, and nearly no call uses: onnx_ir computes with dimensions
# that have no size by SymPy, which takes half as long to load as all others together.
DEFERRED = ("sympy", "onnx_ir._symbolic_shapes")
# Those without which there is no worker; the packages of a plugin come before all others.
BARE = ("brainsmith.sandbox.worker",)

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_FACTS = ("/etc/localtime", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_SINGLE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# Of the user's environment only what chooses code paths of numerics, which must be the same here.
_INHERITED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LC_ALL", "LC_CTYPE")


def environment() -> dict[str, str]:
    """All variables of a zygote, and so of a worker."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "TMPDIR": "/nonexistent",
        "PATH": "/nonexistent",
        "PYTHONHASHSEED": "0",  # sets of strings have one order, so results have one too
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENSSL_CONF": "/dev/null",  # else hashlib, which NumPy's generators need, reads a file
        "ORT_DISABLE_TELEMETRY": "1",  # else importing onnxruntime starts a thread
        **dict.fromkeys(_SINGLE, "1"),
        **inherited,
    }


@functools.cache
def module_path() -> tuple[str, ...]:
    """Where modules are looked for: as in this process at first, but for two folders.

    The one that it works in, and that of its script, are the user's, and no plugin's business.
    """
    main = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    own = {os.path.realpath(os.curdir), os.path.realpath(os.path.dirname(main))}
    own -= set(map(os.path.realpath, sysconfig.get_paths().values()))  # of `python -m pdb`, say
    entries = [os.path.realpath(entry) for entry in sys.path if os.path.isabs(entry)]
    home = os.path.dirname(_home())
    return tuple(
        entry for entry in dict.fromkeys((*entries, home)) if entry == home or entry not in own
    )


@functools.cache
def readable() -> tuple[str, ...]:
    """What every worker may read: Python, the installed packages, libraries, a few facts."""
    paths = sysconfig.get_paths()
    python = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    # A virtual environment has its standard library elsewhere.
    python += [os.path.join(sys.base_prefix, "lib"), *_site_packages()]
    found = [*python, _home(), *_SYSTEM, *_FACTS, *_DEVICES]
    return tuple(dict.fromkeys(path for path in map(os.path.realpath, found) if _exists(path)))


@functools.cache
def listable() -> tuple[str, ...]:
    """Folders of which a worker may know the names, since imports look into them."""
    return tuple(path for path in module_path() if os.path.isdir(path))


def _home() -> str:
    """The folder of this package."""
    return os.path.dirname(os.path.realpath(brainsmith.__file__))


def _site_packages() -> list[str]:
    """Entries of the path that hold installed packages, such as Debian's."""
    ends = ("site-packages", "dist-packages")
    return [entry for entry in module_path() if os.path.basename(entry) in ends]


def _exists(path: str) -> bool:
    return path != "/" and os.path.exists(path)
