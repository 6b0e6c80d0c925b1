from brainsmith import Compiler, PluginRegistry

# Auto-discover all available plugins
registry = PluginRegistry()
registry.discover_plugins()

# Search for attention kernels
attention_kernels = registry.search("attention", filters={
    "certification": "gold",
    "tags": ["transformer"]
})

# Install new plugin from hub
registry.install_from_hub("flash-attention", version="2.0")

# Use in compilation strategy - plugins work just like built-ins
strategy = CompilationStrategy(
    name="bert_with_flash_attention",
    kernels=[
        # Built-in kernel
        KernelSpec("MatMul", backend="hls"),
        # Community plugin kernel - seamlessly integrated
        KernelSpec("FlashAttention", backend="cuda"),
    ],
    transforms=[
        # Mix built-in and plugin transforms
        TransformSpec("Streamline"),  # Built-in
        TransformSpec("QuantizeAttention"),  # Plugin
    ]
)

# Compile normally - plugins are transparent to user
compiler = Compiler()
result = compiler.compile("model.onnx", strategy)
