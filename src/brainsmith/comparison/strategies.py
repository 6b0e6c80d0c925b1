"""A strategy of the plugin: the model compiled with it and with the usual one, no synthesis."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from brainsmith.comparison.front import Setting
from brainsmith.comparison.records import Figure, Problem, StrategyComparison, StrategyRun
from brainsmith.compiler.compiler import Compiler
from brainsmith.compiler.options import CompileOptions
from brainsmith.errors import BrainsmithError, PluginSecurityError, StorageError
from brainsmith.plugins import Component
from brainsmith.toolchains.cache import BuildCache


def compare_strategies(
    setting: Setting, components: list[Component], options: CompileOptions, cache: BuildCache
) -> tuple[StrategyComparison, ...]:
    """Compiles with each strategy, and once with the one that they are compared with.

    Raises:
        PluginSecurityError: the plugin did what it may not.
        ToolError: a tool is missing.
        StorageError: the disk is full.
    """
    if not components:
        return ()
    rival = _compiled(setting, setting.strategy.name, setting.usual, options, cache)
    return tuple(
        StrategyComparison(_compiled(setting, one.full_name, one.full_name, options, cache), rival)
        for one in components
    )


def _compiled(
    setting: Setting, name: str, strategy: str | Path, options: CompileOptions, cache: BuildCache
) -> StrategyRun:
    """What a compile without synthesis measures; the build itself is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        asked = replace(options, synthesize=False, place=None, output=Path(folder) / "build")
        compiler = Compiler(setting.registry, cache, setting.progress)
        try:
            result = compiler.compile(setting.path, strategy, asked)
        except (PluginSecurityError, StorageError):
            raise
        except BrainsmithError as error:
            return StrategyRun(name, None, problems=(Problem.of(error),))
    metrics = {
        key: Figure(metric.value, metric.unit, metric.source, metric.reason or "")
        for key, metric in result.metrics.items()
    }
    problems = tuple(
        Problem(f"{check.name}: {check.detail}", name)
        for check in result.verification.checks
        if not check.passed
    )
    return StrategyRun(name, result.verification.bit_exact, metrics, problems)
