"""Settings for all tests."""

import os

from hypothesis import HealthCheck, settings

# onnxruntime writes a device id and starts a thread at import unless this is set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# How long a case takes says how busy the machine is, nothing else.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
