"""What importing and asking for help cost above a bare interpreter."""

from __future__ import annotations

from benchmarks.figures import Figure, process_milliseconds


def run() -> list[Figure]:
    """Medians of 21 fresh interpreters each."""
    bare = process_milliseconds("pass")
    cases = (
        ("import brainsmith", "import brainsmith", 30.0),
        ("import brainsmith.api", "import brainsmith.api", None),
        (
            "brainsmith --help",
            "import sys; sys.argv = ['brainsmith', '--help']\n"
            "from brainsmith.cli import main\nmain()",
            150.0,
        ),
    )
    figures = [Figure("bare interpreter", bare, "ms", how="median of 21")]
    for name, code, wanted in cases:
        figures.append(
            Figure(
                f"{name}, above a bare interpreter",
                process_milliseconds(code) - bare,
                "ms",
                wanted,
                "median of 21",
            )
        )
    return figures
