"""report.json: the object that `brainsmith compile --json` prints too.

Keys are only ever added, never renamed: other programs read this file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from brainsmith.report.records import (
    BuildReport,
    HostRecord,
    LayerRecord,
    Metric,
    VerificationRecord,
)
from brainsmith.storage import write_atomic


def to_json(report: BuildReport) -> dict[str, Any]:
    """The report as one JSON-serializable object."""
    return {
        "success": report.success,
        "model": report.model,
        "target": report.target,
        "verification": _verification(report.verification),
        "metrics": {name: _metric(metric) for name, metric in report.metrics.items()},
        "layers": [_layer(layer) for layer in report.layers],
        "host_nodes": [_host_node(node) for node in report.host_nodes],
        "artifacts": dict(report.artifacts),
        "strategy": report.strategy,
        "clock_mhz": report.clock_mhz,
        "target_fps": report.target_fps,
        "streams": [asdict(stream) for stream in report.streams],
        "utilisation": [asdict(record) for record in report.utilisation],
        "steps": [asdict(step) for step in report.steps],
        "tools": {tool.name: tool.version for tool in report.tools},
        "diagnostics": [asdict(diagnostic) for diagnostic in report.diagnostics],
        "sandbox": None if report.sandbox is None else asdict(report.sandbox),
        "quantization": None if report.quantization is None else asdict(report.quantization),
        "fit": None if report.fit is None else asdict(report.fit),
    }


def dumps(value: Mapping[str, Any]) -> str:
    """Two-space indented JSON with a final newline; never NaN or infinity, which JSON lacks."""
    return json.dumps(_plain(value), indent=2, allow_nan=False) + "\n"


def write_json(report: BuildReport, path: Path) -> None:
    """Write the report to `path`, whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    write_atomic(path, dumps(to_json(report)), parents=True)


def _verification(record: VerificationRecord) -> dict[str, Any]:
    return {
        "bit_exact": record.bit_exact,
        "vectors": record.vectors,
        "mismatches": record.mismatches,
        "agreement": asdict(record.agreement) if record.agreement else None,
        "scope": record.scope,
        "checks": [asdict(check) for check in record.checks],
        "faithful": None if record.faithful is None else dict(record.faithful),
    }


def _metric(metric: Metric) -> dict[str, Any]:
    value = {"value": metric.value, "unit": metric.unit, "source": metric.source}
    return value if metric.reason is None else {**value, "reason": metric.reason}


def _layer(layer: LayerRecord) -> dict[str, Any]:
    value = {
        "node": layer.node,
        "operation": layer.operation,
        "kernel": layer.kernel,
        "backend": layer.backend,
        "folding": dict(layer.folding),
        "cycles": layer.cycles,
        "resources": dict(layer.resources),
        "cycles_source": layer.cycles_source,
        "resources_source": layer.resources_source,
        "latency": layer.latency,
        "inputs": list(layer.inputs),
        "outputs": list(layer.outputs),
        "params": dict(layer.params),
    }
    reason = layer.resources_reason
    return value if reason is None else {**value, "resources_reason": reason}


def _host_node(node: HostRecord) -> dict[str, Any]:
    value = {"node": node.node, "reason": node.reason, "role": node.role}
    return value if node.closest is None else {**value, "closest": node.closest}


def _plain(value: Any) -> Any:
    """`value` in JSON's own types: NumPy scalars by their Python value, no NaN, no infinity."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool):
        return value
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else str(value)
