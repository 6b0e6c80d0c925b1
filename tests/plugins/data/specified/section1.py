from brainsmith.api import kernel, transform, backend

@kernel(
    name="FlashAttention",
    operation_type="attention",
    description="Efficient attention mechanism for transformers",
    author="community-member",
    version="1.0.0",
    tags=["transformer", "attention", "efficient"]
)
class FlashAttentionKernel:
    """Community-contributed Flash Attention kernel."""
    
    constraints = {
        "min_sequence_length": 64,
        "supported_dtypes": ["float16", "bfloat16"]
    }
    
    @backend("cuda", default=True)
    def cuda_implementation(self, config):
        """CUDA implementation of Flash Attention."""
        return CUDAFlashAttentionOp(config)
    
    @backend("hls")
    def hls_implementation(self, config):
        """HLS implementation for FPGA."""
        return HLSFlashAttentionOp(config)
