"""Modules that others import at their top and hardly ever use: loaded when something uses them."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

_lock = threading.RLock()


def defer(name: str) -> None:
    """Puts a stand-in into `sys.modules`, if the module is installed and not loaded yet."""
    package, _, _ = name.rpartition(".")
    if name in sys.modules or package in sys.modules:
        return
    above = importlib.util.find_spec(package) if package else None
    if package and above is None:
        return
    folders = None if above is None else above.submodule_search_locations
    spec = importlib.machinery.PathFinder.find_spec(name, folders)
    if spec is not None:
        module = sys.modules[name] = _Deferred(name)
        module.__spec__, module.__file__ = spec, spec.origin


class _Deferred(ModuleType):
    """Stands for a module until something of it is used.

    The loader of the standard library for this does not help: in Python 3.11 the first `import`
    of such a module loads it.
    """

    def __getattr__(self, name: str) -> Any:
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            return getattr(importlib.import_module(self.__name__), name)
