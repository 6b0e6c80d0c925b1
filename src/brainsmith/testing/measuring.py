"""`benchmark`: what a kernel costs at one configuration, measured, beside what its models say."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import Resources
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.implement import implement
from brainsmith.errors import VerificationError
from brainsmith.plugins import PluginRegistry
from brainsmith.testing.case import KernelCase
from brainsmith.testing.finding import find
from brainsmith.testing.simulating import Bench
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import synthesize


@dataclass(frozen=True)
class Figures:
    """What a kernel costs.

    Attributes:
        interval: cycles between frames, from the simulation; None if it varies.
        latency: cycles from the first input beat of a frame to its last output beat, likewise.
        resources: from synthesis for the case's device family, out of context.
        estimated: resources as the kernel's model, or a guess in its place, says.
    """

    interval: int | None
    latency: int
    resources: Resources
    estimated: Resources


def benchmark(
    kernel: str | type,
    case: KernelCase,
    *,
    backend: str | None = None,
    registry: PluginRegistry | None = None,
) -> Figures:
    """Simulates a kernel at one configuration, and synthesises it.

    Args:
        kernel: its class, or its name in the registry.
        case: the configuration; `case.family` says for which devices.
        backend: which implementation; the kernel's default one if None.
        registry: where the kernel is found; as for `check_kernel` if None.

    Raises:
        VerificationError: what it computes is wrong, so that its cost is of no use.
        BrainsmithError: the kernel is unknown, the case illegal, or a tool failed.
    """
    component, known = find("kernels", kernel, registry)
    bench = Bench.of(component, known, backend)
    (result,) = bench.results([case])
    if result.mismatches:
        raise VerificationError(
            f"the kernel is wrong there: {'; '.join(result.failures())}",
            where=f"{component.full_name}, {case}",
            hint="`check_kernel` shows the smallest configuration that fails",
        )
    instance = bench.instance(case, 0)
    (module,) = implement([instance])
    netlist = synthesize(
        Hdl(module.sources, module.files),
        module.unit,
        case.family,
        cache=BuildCache(),
        log=BuildLog(),
    )
    _, estimates = estimate(instance.kernel, [instance.config])
    counts = netlist.resources
    measured = Resources(counts["LUT"], counts["FF"], counts["DSP"], counts["BRAM"])
    return Figures(result.interval, result.latency, measured, estimates[0])
