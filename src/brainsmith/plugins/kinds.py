"""The kinds of components, as they are called in manifests, and in the singular."""

from __future__ import annotations

SINGULAR = {
    "operations": "operation",
    "kernels": "kernel",
    "transforms": "transform",
    "targets": "target",
    "strategies": "strategy",
}
KINDS = tuple(SINGULAR)
