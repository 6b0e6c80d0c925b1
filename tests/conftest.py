"""Settings for all tests."""

import os

# onnxruntime writes a device id and starts a thread at import unless this is set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
