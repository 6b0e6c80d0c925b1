from brainsmith.api import transform, requires

@transform(
    name="QuantizeAttention",
    stage="topology_optimization",
    description="Quantize attention layers to INT8",
    author="optimization-expert",
    version="2.1.0",
    tags=["quantization", "attention", "int8"]
)
@requires("numpy>=1.20", "onnx>=1.10")
class QuantizeAttentionTransform:
    """Intelligently quantize attention mechanisms."""
    
    def __init__(self):
        self.statistics = {}
    
    def apply(self, model, config):
        """Apply quantization to attention layers."""
        # Transform implementation
        return quantized_model
    
    @property
    def compatible_kernels(self):
        """Kernels this transform works well with."""
        return ["FlashAttention", "StandardAttention"]
