"""A transform that looks and changes nothing."""

from brainsmith.api import transform


@transform(
    name="QuantizeAttention",
    stage="topology_optimization",
    description="Says how many products the model has",
    version="2.1.0",
)
class QuantizeAttentionTransform:
    def __init__(self):
        self.statistics = {}

    def apply(self, model, config):
        self.statistics["products"] = sum(node.op_type == "MatMul" for node in model.graph)
        return model

    @property
    def compatible_kernels(self):
        """Kernels this transform works well with."""
        return ["FlashAttention", "StandardAttention"]
