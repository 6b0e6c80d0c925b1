"""Figures as people read them: 1.56 M, 2 927, 310 ms."""

from __future__ import annotations

import math

# Narrow no-break space: groups digits and joins a figure to its unit, and never wraps.
THIN = "\u202f"
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def figure(value: float | int | None) -> str:
    """Exact where it is an integer (digits in groups of three), else three to four digits."""
    if value is None or not math.isfinite(value):
        return "n/a"
    if float(value).is_integer():
        return f"{int(value):,}".replace(",", THIN)
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", THIN)
    return f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"


def prefixed(value: float | int | None) -> tuple[str, str]:
    """A large figure as three or four digits and an SI prefix: 312500 gives ("312.5", "k")."""
    if value is None or not math.isfinite(value):
        return "n/a", ""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor * 10 or (factor >= 1e6 and abs(value) >= factor):
            scaled = value / factor
            digits = 1 if scaled >= 10 else 2
            text = f"{scaled:.{digits}f}"
            return (text.removesuffix(".0") if scaled >= 100 else text), prefix
    return figure(value), ""


def seconds(value: float) -> str:
    """A duration from microseconds to hours."""
    if value < 1e-3:
        return f"{value * 1e6:.3g}{THIN}µs"
    if value < 1:
        return f"{value * 1e3:.3g}{THIN}ms"
    if value < 60:
        return f"{value:.3g}{THIN}s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}{THIN}min {rest:02d}{THIN}s"
    return f"{minutes // 60}{THIN}h {minutes % 60:02d}{THIN}min"


def size(value: int) -> str:
    """Bytes in KiB, MiB or GiB, with three digits."""
    for factor, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= factor:
            return (
                f"{value / factor:.3g}{THIN}{unit}"
                if value < 1000 * factor
                else (f"{value / factor:.0f}{THIN}{unit}")
            )
    return f"{value}{THIN}B"


def percent(share: float) -> str:
    """A share of one in percent; small but not nothing is never shown as nothing."""
    if 0 < share < 0.001:
        return f"<{THIN}0.1{THIN}%"
    digits = 1 if 0 < share < 0.0995 else 0
    # 99.7 % must not read as all of it.
    if 0.995 <= share < 1:
        share, digits = min(share, 0.9999), 2
    return f"{share * 100:.{digits}f}{THIN}%"


def decibels(value: float | None) -> str:
    """A ratio in dB; "exact" where there is none, since nothing differs."""
    return "exact" if value is None else f"{value:.1f}{THIN}dB"


def shorten(text: str, length: int) -> str:
    """`text` in at most `length` characters: its start and its end, which tell nodes apart."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def folding(values: dict[str, int]) -> str:
    """PE 16 · SIMD 49."""
    return " · ".join(f"{name} {value}" for name, value in values.items())
