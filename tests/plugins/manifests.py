"""Manifests that several tests read."""

from __future__ import annotations

# The specification's own example.
SPECIFIED = """\
# brainsmith.yaml
name: flash-attention-plugin
version: 1.0.0
author: community-member
license: Apache-2.0
description: Efficient Flash Attention implementation for transformers

kernels:
  - name: FlashAttention
    module: flash_attention.kernel
    class: FlashAttentionKernel
    
transforms:
  - name: OptimizeFlashAttention  
    module: flash_attention.transform
    class: OptimizeFlashAttentionTransform

dependencies:
  - numpy>=1.20
  - torch>=2.0
  
compatibility:
  brainsmith: ">=2.0"
  finn: ">=0.9"
  
tags:
  - transformer
  - attention
  - performance
  
examples:
  - examples/bert_flash_attention.py
  - examples/gpt_optimization.py
"""  # noqa: W291, W293
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
