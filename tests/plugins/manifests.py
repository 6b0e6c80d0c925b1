"""Manifests that several tests read."""

from __future__ import annotations

from pathlib import Path

# The specification's own example.
SPECIFIED = (Path(__file__).parent / "data/specified/section4.yaml").read_text()
EVERYTHING = """\
schema: 1
name: everything
version: 2.0rc1
author: Ada <ada@example.org>
license: LicenseRef-Mine
description: |
  All fields.
  In two lines.
operations:
  - {name: op, module: a.b, class: Op}
kernels:
  - name: K
    module: a.k
    class: K
    description: A kernel
    version: 1.0
    tags: [one, two words]
    devices: [ecp5-85k, sm_90]
    datatypes: [INT4, float16]
    operation: matmul
    backends: [rtl, cuda]
    constraints: {min_K: 16, supported_dtypes: [INT4], max_ratio: 1.5, multiple_of_x: true}
    requires: ["torch>=2.0; python_version > '3.8'"]
transforms:
  - name: T
    module: a.t
    class: T
    stage: graph_cleanup
    compatible_kernels: [K, "other:K"]
targets:
  - {name: file, file: targets/file.yaml}
  - {name: code, module: a.target, class: Target}
strategies:
  - {name: s, file: strategies/s.yaml}
permissions:
  memory: 1.5 GiB
  cpu_time: 30
  wall_time: 2.5
  output_size: 1048576
  readable_paths: [/usr/share/models, data]
  tools: [verilator, g++]
funding:
  - {platform: GitHub Sponsors, url: "https://github.com/sponsors/ada"}
  - {url: "https://example.org"}
""".replace("version: 1.0\n", 'version: "1.0"\n')
