"""Verification: what the hardware computes is the compiled integer model (exact), and that agrees
with the original model (faithful). A difference is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainsmith.compiler.agreement import FaithfulReport
from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.faithful import check_faithful
from brainsmith.compiler.fifo import StreamModel
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.host import Frames, Runner, run_design
from brainsmith.compiler.reference import layer_inputs, reference
from brainsmith.compiler.simulate import (
    LayerRun,
    NetworkRun,
    OnFrames,
    Tally,
    check_layers,
    check_partition,
    simulation_of,
)
from brainsmith.compiler.stimuli import random_integers
from brainsmith.model.model import Model
from brainsmith.report.records import AgreementRecord, CheckRecord, VerificationRecord
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation

GENERATED_FRAMES = 16


@dataclass
class Evidence:
    """What the verification found, piece by piece.

    Attributes:
        values: the reference of every value, (frames, elements) for integers.
        networks: the simulation of each partition, by its name.
        layers: each layer alone.
        netlist: one frame on the synthesised netlist, by partition; empty where none was run.
        faithful: against the original model.
        expected: the final outputs against those that the user gave.
    """

    frames: int
    generated: bool
    values: Frames
    simulations: Mapping[str, Simulation] = field(default_factory=dict)
    networks: dict[str, NetworkRun] = field(default_factory=dict)
    layers: list[LayerRun] = field(default_factory=list)
    netlist: dict[str, Tally] = field(default_factory=dict)
    faithful: FaithfulReport | None = None
    expected: Tally | None = None


def generated_inputs(model: Model, seed: int, frames: int = GENERATED_FRAMES) -> Frames:
    """Inputs over the whole range of each input's datatype: its ends, then random ones.

    An input without an integer datatype gets reals of [0, 1] and their ends.
    """
    rng = np.random.default_rng(seed)
    inputs = {}
    for value in model.graph.inputs:
        shape, dtype = model.shape(value), model.datatype(value)
        if dtype is None:
            array = rng.random((frames, *shape))
            array[0], array[1] = 0.0, 1.0
        else:
            lo, hi = model.range_of(value) or (dtype.min, dtype.max)
            array = random_integers(rng, (frames, *shape), dtype, lo, hi)
            array[0], array[1] = lo, hi
        inputs[value.name or ""] = array.astype(np.float32)
    return inputs


def reference_runner() -> Runner:
    """Runs a partition by the operations' references."""
    return lambda partition, inputs: reference(partition, inputs)


def verify(
    front: FrontEnd,
    rtls: Sequence[Rtl],
    inputs: Frames,
    expected: Frames | None,
    *,
    generated: bool,
    seed: int,
    cache: BuildCache,
    log: BuildLog,
    on_frames: OnFrames | None = None,
) -> Evidence:
    """Simulates every partition and every layer, and compares with both halves of the truth.

    Args:
        front: the design and both models.
        rtls: the partitions as SystemVerilog.
        inputs: frames by the name of the model's input, (frames, *shape).
        expected: what the model should give for them, by output.
        generated: whether the inputs are ours (for the report).

    Raises:
        ToolError: the simulation could not be built or crashed.
        VerificationError: it hangs, or a kernel breaks the wire contract.
    """
    values = run_design(front.design, front.compiled, inputs, reference_runner())
    evidence = Evidence(len(next(iter(inputs.values()))), generated, values)
    simulations = {}
    for rtl in rtls:
        name = rtl.partition.name
        simulations[name] = simulation_of(rtl, cache, log)
        flat = _flat(rtl, values)
        evidence.networks[name] = check_partition(
            simulations[name], rtl, front.models[name], flat, seed + 1, on_frames
        )
    evidence.simulations = simulations
    modules = [module for rtl in rtls for module in rtl.modules]
    network = {
        layer: inputs
        for rtl in rtls
        for layer, inputs in layer_inputs(rtl.partition, values).items()
    }
    evidence.layers = check_layers(modules, cache, log, seed, network)
    evidence.faithful = check_faithful(
        front.original, front.compiled, inputs, _integers(front, values), given=not generated
    )
    if expected is not None:
        evidence.expected = _compare_outputs(values, expected)
    return evidence


def record(
    evidence: Evidence | None,
    models: Mapping[str, StreamModel],
    cycles: Mapping[str, tuple[int, int]],
) -> VerificationRecord:
    """The verdict as the report shows it; without evidence nothing was verified.

    Args:
        models: of each partition.
        cycles: interval and latency of each layer, as its kernel's models have them.
    """
    if evidence is None:
        return VerificationRecord(None, 0, 0, None, "none")
    checks = [*_checks(evidence, models), _cycles_check(evidence, cycles)]
    tallies = [run.tally + run.stalled_tally for run in evidence.networks.values()]
    tallies += [run.tally for run in evidence.layers]
    tallies += list(evidence.netlist.values())
    wrong = sum(tally.wrong for tally in tallies)
    faithful = evidence.faithful
    agreement = None
    if faithful is not None:
        agreement = AgreementRecord(
            faithful.agreement, faithful.largest_difference, faithful.agreement_within_rounding
        )
    return VerificationRecord(
        bit_exact=wrong == 0,
        vectors=evidence.frames,
        mismatches=wrong,
        agreement=agreement,
        scope="network",
        checks=tuple(checks),
        faithful=_figures(faithful) if faithful is not None else None,
    )


def _checks(evidence: Evidence, models: Mapping[str, StreamModel]) -> list[CheckRecord]:
    origin = "generated over the inputs' whole range" if evidence.generated else "given"
    checks = []
    for name, run in evidence.networks.items():
        frames = f"{run.frames} frames back to back ({origin})"
        if run.frames > evidence.frames:
            frames = (
                f"{run.frames} frames back to back ({evidence.frames} {origin}, and some of them "
                "again to fill the pipeline)"
            )
        checks.append(_tally_check(f"{name}: {frames}", run.tally))
        checks.append(_tally_check(f"{name}: every port stalled at random", run.stalled_tally))
        checks.append(_interval_check(name, run, models[name]))
    if evidence.faithful is not None:
        checks.append(
            CheckRecord(
                "agrees with the original model", evidence.faithful.ok, _said(evidence.faithful)
            )
        )
    if evidence.expected is not None:
        checks.append(_expected_check(evidence.expected))
    for layer in evidence.layers:
        checks.append(_tally_check(f"{layer.node} alone, worst cases included", layer.tally))
    for name, tally in evidence.netlist.items():
        checks.append(_tally_check(f"{name}: one frame on the synthesised netlist", tally))
    return checks


def _figures(report: FaithfulReport) -> dict[str, float | int | str | bool]:
    return {
        "frames": report.frames,
        "codes": report.codes,
        "ambiguous": report.ambiguous,
        "errors": report.errors,
        "agreement": report.agreement,
        "largest_difference": report.largest_difference,
    }


def _said(report: FaithfulReport) -> str:
    elements = sum(layer.elements for layer in report.layers)
    said = f"{elements} values in {len(report.layers)} layers: {report.errors} differ"
    if report.ambiguous:
        said += f", {report.ambiguous} of {report.codes} codes lie where float32 is ambiguous"
    first = next((layer for layer in report.layers if layer.first_error is not None), None)
    if first is not None and (error := first.first_error) is not None:
        said += (
            f"; first: {first.original}, frame {error.frame}, element {error.element}: "
            f"{error.compiled:g}, the original gives {error.original:g}"
        )
    return said


def _integers(front: FrontEnd, values: Frames) -> dict[str, np.ndarray]:
    """The reference's integer values, and the graph's outputs."""
    ends = {value.name for value in front.compiled.graph.outputs}
    return {
        name: array
        for name, array in values.items()
        if name in ends or np.issubdtype(array.dtype, np.integer)
    }


def _tally_check(name: str, tally: Tally) -> CheckRecord:
    detail = f"{tally.compared} elements, {tally.wrong} differ"
    return CheckRecord(
        name, tally.wrong == 0, f"{detail}: {tally.first}" if tally.first else detail
    )


def _expected_check(tally: Tally) -> CheckRecord:
    detail = (
        f"{tally.compared - tally.wrong} of {tally.compared} outputs equal those that were given"
    )
    return CheckRecord(
        "gives the expected outputs",
        tally.wrong == 0,
        f"{detail}; {tally.first}" if tally.first else detail,
    )


def _interval_check(name: str, run: NetworkRun, model: StreamModel) -> CheckRecord:
    measured = "it varies" if run.interval is None else _cycles(run.interval)
    return CheckRecord(
        f"{name}: no stall, one frame every {_cycles(model.interval)}",
        run.interval == model.interval,
        f"measured {measured} over the last 8 frames",
    )


def _cycles(count: int) -> str:
    return "cycle" if count == 1 else f"{count} cycles"


def _cycles_check(evidence: Evidence, cycles: Mapping[str, tuple[int, int]]) -> CheckRecord:
    """Whether every layer alone took the cycles that its kernel's models promise."""
    wrong = [
        f"{layer.node}: an interval of {layer.interval} and a latency of {layer.latency} cycles, "
        f"its kernel says {cycles[layer.node][0]} and {cycles[layer.node][1]}"
        for layer in evidence.layers
        if (layer.interval, layer.latency) != cycles[layer.node]
    ]
    said = "; ".join(wrong) or f"{len(evidence.layers)} layers, as their kernels say"
    return CheckRecord("cycles of each layer alone", not wrong, said)


def _flat(rtl: Rtl, values: Frames) -> dict[str, np.ndarray]:
    ports = (*rtl.partition.inputs, *rtl.partition.outputs)
    return {
        port.value: values[port.value].reshape(-1, port.size).astype(np.int64) for port in ports
    }


def _compare_outputs(values: Frames, expected: Frames) -> Tally:
    """Final outputs against the user's: integers equal, floats within float32's rounding."""
    total = Tally()
    for name, want in expected.items():
        got = np.asarray(values[name]).reshape(want.shape)
        if np.issubdtype(want.dtype, np.integer) or np.issubdtype(got.dtype, np.integer):
            wrong = got != want
        else:
            wrong = ~np.isclose(got, want, rtol=1e-5, atol=1e-6)
        where = np.argwhere(wrong)
        first = ""
        if len(where):
            at = tuple(map(int, where[0]))
            first = f"{name}{list(at)}: the model gives {got[at]}, expected {want[at]}"
        total += Tally(want.size, len(where), first)
    return total
