"""Where waveforms of failing cases go, if somebody wants them."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

WAVES: ContextVar[Path | None] = ContextVar("brainsmith-waves", default=None)
"""The file to which the next failing case is written; pytest's `--wave` sets it for each test."""
