"""`python -m benchmarks [NAME ...]`: runs the benchmarks named, or all, and keeps the figures."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.figures import Figure, keep, machine

NAMES = (
    "imports", "discovery", "sandbox", "pdk", "test_plugin", "front_end", "compile", "simulation",
    "convolution", "espcn", "boards",
)  # fmt: skip


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark '{unknown[0]}'; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(", ".join(f"{key}: {value}" for key, value in machine().items()))
    for name in names or NAMES:
        figures: list[Figure] = import_module(f"benchmarks.{name}").run()
        for figure in figures:
            wanted = f"  (at most {figure.wanted:g})" if figure.wanted is not None else ""
            print(
                f"{name:10} {figure.name:52} {figure.value:12.4g} {figure.unit}{wanted}", flush=True
            )
        keep({name: figures})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
