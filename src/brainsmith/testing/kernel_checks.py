"""`check_kernel`: a kernel at many configurations, in one simulation, against the reference."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from brainsmith.compiler.mapping import Candidate
from brainsmith.errors import PluginError
from brainsmith.plugins import PluginRegistry
from brainsmith.testing.case import CaseResult, KernelCase
from brainsmith.testing.examples import cases_of
from brainsmith.testing.finding import find
from brainsmith.testing.limits import Limits
from brainsmith.testing.plans import Plan, draw_plans
from brainsmith.testing.reproducing import as_code
from brainsmith.testing.shrinking import smallest
from brainsmith.testing.simulating import Bench, faults
from brainsmith.testing.waves import WAVES
from brainsmith.toolchains.simulation import StreamError

_BATCHES = 40  # of drawing, which is cheap, until as many as are wanted keep the constraints


def check_kernel(
    kernel: str | type,
    cases: Sequence[KernelCase] | None = None,
    *,
    backend: str | None = None,
    count: int = 24,
    registry: PluginRegistry | None = None,
    seed: int = 0,
    stall_seed: int = 1,
    wave: Path | None = None,
) -> list[CaseResult]:
    """Simulates a kernel at many configurations, in one model, and compares.

    Every case is driven with the operation's extremes, both ends of the range and random frames,
    back to back, and again with random stalls on every port. Values, interval and latency have to
    be those of the reference and of the kernel's own models.

    Args:
        kernel: its class, or its name in the registry.
        cases: the configurations. If None, they are drawn by chance: sizes, datatypes,
            foldings, parameters and devices that the operation has and the kernel's constraints
            allow; of those that fail the smallest is looked for.
        backend: which implementation; the kernel's default one if None.
        count: how many configurations are drawn.
        registry: where the kernel is found; if None, everything that is installed, and before
            all the plugin that the class lies in.
        seed: for what is drawn, constants and the random frames.
        stall_seed: for the random stalls.
        wave: an FST file for the waveform of the first case that fails, or the smallest one that
            was found; where pytest was started with `--wave`, it says where.

    Returns:
        What came of each case; all passed.

    Raises:
        AssertionError: a case fails; its text says which, and what to do.
        BrainsmithError: the kernel is unknown, a case is illegal, or a tool failed.
    """
    component, known = find("kernels", kernel, registry)
    bench = Bench(component, known.operation_of(component), backend, seed, stall_seed)
    run = _judged(bench)
    if cases is not None:
        results = run(cases)
        failed = [result for result in results if not result.passed]
        count, first = len(cases), min(failed, key=_size, default=None)
    else:
        drawn = _drawn(bench, count, seed)
        results = run([case for _, case in drawn])
        failed = [result for result in results if not result.passed]
        count, first = len(drawn), _smallest(bench, drawn, failed, run)
    if first is None:
        return results
    path = wave or WAVES.get()
    if path is not None:
        _write_wave(bench, first.case, path)
    options = {"backend": backend, "registry": registry, "seed": seed, "stall_seed": stall_seed}
    usual = {"backend": None, "registry": None, "seed": 0, "stall_seed": 1}
    others = {name: value for name, value in options.items() if value != usual[name]}
    call = as_code(kernel, component, first.case, others)
    raise AssertionError(_message(component.name, len(failed), count, first, call, path))


def _judged(bench: Bench) -> Callable[[Sequence[KernelCase]], list[CaseResult]]:
    """Results of all cases, or of those alone that stop the simulation."""

    def run(cases: Sequence[KernelCase]) -> list[CaseResult]:
        try:
            return bench.results(cases)
        except StreamError as error:
            return faults(error, cases)

    return run


def _drawn(bench: Bench, count: int, seed: int) -> list[tuple[Plan, KernelCase]]:
    """As many cases as are wanted, in batches: constraints refuse some of what is drawn."""
    candidate, choices, limits = _candidate(bench), _choices(bench), _limits(bench)
    found: dict[tuple[object, ...], tuple[Plan, KernelCase]] = {}
    drawn = 0
    for batch in range(_BATCHES):
        plans = draw_plans(limits, choices, count, seed + batch)
        drawn += len(plans)
        kept = cases_of([plan for plan in plans if plan.key not in found], candidate)
        found.update((plan.key, (plan, case)) for plan, case in kept)
        if len(found) >= count:
            break
    if not found:
        raise PluginError(
            f"none of {drawn} configurations that were drawn keeps the kernel's constraints",
            where=bench.kernel.full_name,
            hint="give `check_kernel` cases of your own",
        )
    if len(found) < count:
        what = f"only {len(found)} of {drawn} configurations that were drawn keep"
        warnings.warn(f"{what} the constraints of {bench.kernel.full_name}", stacklevel=3)
    return list(found.values())[:count]


def _smallest(
    bench: Bench,
    drawn: Sequence[tuple[Plan, KernelCase]],
    failed: Sequence[CaseResult],
    run: Callable[[Sequence[KernelCase]], list[CaseResult]],
) -> CaseResult | None:
    plans = {id(case): plan for plan, case in drawn}
    first = min(failed, key=lambda result: plans[id(result.case)].complexity, default=None)
    if first is None:
        return None
    info = bench.kernel.info
    return smallest(
        plans[id(first.case)],
        first,
        run,
        limits=_limits(bench),
        candidate=_candidate(bench),
        defaults={name: info.params[name].default for name in _choices(bench)},
    )


def _limits(bench: Bench) -> Limits:
    try:
        return Limits(bench.operation.info.nest, bench.kernel.info.constraints)
    except PluginError as error:
        raise PluginError(error.what, where=bench.kernel.full_name) from error


def _choices(bench: Bench) -> dict[str, tuple[int | str, ...]]:
    """Values of the kernel's parameters, the default first."""
    return {
        name: (param.default, *(v for v in param.choices if v != param.default))
        for name, param in bench.kernel.info.params.items()
        if param.choices
    }


def _candidate(bench: Bench) -> Candidate:
    info = bench.kernel.info
    params = {name: param.default for name, param in info.params.items()}
    backend = bench.backend or info.default_backend
    return Candidate(bench.kernel, bench.operation, backend, params)


def _size(result: CaseResult) -> int:
    return sum(result.case.dims.values())


def _write_wave(bench: Bench, case: KernelCase, path: Path) -> None:
    """The waveform of one case, stalls included; what fails in it was told already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(StreamError):
        bench.results([case], wave=path)


def _message(
    name: str, failed: int, count: int, first: CaseResult, call: str, wave: Path | None
) -> str:
    least = "at least " if first.fault else ""
    lines = [f"{name} is wrong in {least}{failed} of {count} configurations. The smallest found:"]
    lines += [f"  {first.case}", *(f"  {what}" for what in first.failures())]
    lines += ["to look at it again:", call]
    if wave is None:
        lines.append("for a waveform: pytest --wave, or check_kernel(..., wave=Path('wave.fst'))")
    else:
        lines.append(f"its waveform: {wave}")
    return "\n".join(lines)
