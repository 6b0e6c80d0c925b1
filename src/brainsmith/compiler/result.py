"""What a compile gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainsmith.compiler.accelerator import Accelerator
from brainsmith.compiler.design import Design
from brainsmith.model.model import Model
from brainsmith.report.records import (
    BuildReport,
    Diagnostic,
    HostRecord,
    LayerRecord,
    Metric,
    VerificationRecord,
)


@dataclass(frozen=True)
class CompilationResult:
    """A compile's outcome.

    Attributes:
        report: everything that is reported, as plain records.
        design: the instances and streams.
        model: the compiled integer model.
        artifacts: paths by name: "rtl", "report", "json", "log", "netlist" ...
        accelerator: runs the design; None where it was not simulated as a whole.
    """

    report: BuildReport
    design: Design
    model: Model
    artifacts: Mapping[str, Path]
    accelerator: Accelerator | None

    @property
    def success(self) -> bool:
        """Whether every check of the verification passed."""
        return self.report.success

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Figures by name, each with its unit and whether it was measured."""
        return self.report.metrics

    @property
    def verification(self) -> VerificationRecord:
        """The verdict and its checks."""
        return self.report.verification

    @property
    def layers(self) -> tuple[LayerRecord, ...]:
        """One record a kernel instance that computes nodes of the model."""
        return self.report.layers

    @property
    def host_nodes(self) -> tuple[HostRecord, ...]:
        """The nodes that run on the host, with the reason."""
        return self.report.host_nodes

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What the person who compiles should know."""
        return self.report.diagnostics
