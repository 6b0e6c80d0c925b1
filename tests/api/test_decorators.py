"""The decorators: what they record, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from brainsmith.api import HLSOp, RTLOp, backend, kernel, param, requires, target, transform
from brainsmith.api.decorators import TargetInfo, info_of
from brainsmith.errors import PluginError


def test_the_specification_s_kernel_is_recorded() -> None:
    @kernel(
        name="FlashAttention",
        operation_type="attention",
        description="Efficient attention mechanism for transformers",
        author="community-member",
        version="1.0.0",
        tags=["transformer", "attention", "efficient"],
    )
    class FlashAttentionKernel:
        constraints = {"min_sequence_length": 64, "supported_dtypes": ["float16", "bfloat16"]}  # noqa: RUF012
        tile = param(64, choices=(32, 64))

        @backend("rtl", default=True)
        def rtl(self, config: Any) -> RTLOp:
            return RTLOp("top", [])

        @backend("hls")
        def hls(self, config: Any) -> HLSOp:
            return HLSOp("top", [])

    info = info_of(FlashAttentionKernel)
    assert (info.name, info.operation_type, info.default_backend) == (
        "FlashAttention", "attention", "rtl",
    )  # fmt: skip
    assert info.backends == {"rtl": "rtl", "hls": "hls"}
    assert info.constraints["min_sequence_length"] == 64
    assert info.params["tile"].default == 64


def test_requirements_are_recorded_above_and_below_the_decorator() -> None:
    @requires("numpy>=1.20", "onnx>=1.10")
    @transform(name="Above", stage="topology_optimization")
    class Above:
        def apply(self, model: Any, config: Any) -> Any:
            return model

    @transform(name="Below", stage="topology_optimization")
    @requires("numpy>=1.20")
    class Below:
        def apply(self, model: Any, config: Any) -> Any:
            return model

    assert info_of(Above).requires == ("numpy>=1.20", "onnx>=1.10")
    assert info_of(Below).requires == ("numpy>=1.20",)


def test_requirements_of_one_class_are_not_those_of_what_it_was_declared_from() -> None:
    @transform(name="Shared", stage="topology_optimization")
    class Shared:
        def apply(self, model: Any, config: Any) -> Any:
            return model

    before = info_of(Shared)
    requires("numpy>=1.20")(Shared)
    assert before.requires == ()
    assert info_of(Shared).requires == ("numpy>=1.20",)


def test_every_kind_of_component_can_name_requirements() -> None:
    @requires("numpy>=1.20")
    @target(name="my-board", author="me", tags=["board"])
    class MyBoard:
        pass

    assert info_of(MyBoard) == TargetInfo(
        "my-board", author="me", tags=("board",), requires=("numpy>=1.20",)
    )


@pytest.mark.parametrize(
    ("decorate", "message"),
    [
        (lambda: kernel(name="A", operation_type="b", atuhor="me"), "did you mean 'author'"),
        (lambda: transform(name="A", stage="topology"), "did you mean 'topology_optimization'"),
        (lambda: backend("rlt"), "did you mean 'rtl'"),
        (lambda: backend("rtl", defualt=True), "did you mean 'default'"),
        (lambda: kernel(name="A"), "needs 'operation_type'"),
        (lambda: requires(), "@requires names no package(.|\n)*numpy"),
        (lambda: requires(type("Bare", (), {})), r"@requires names no package \[Bare\]"),
    ],
)
def test_a_mistake_names_the_nearest_valid_name(decorate: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        decorate()


def test_a_kernel_without_a_backend_is_refused() -> None:
    with pytest.raises(PluginError, match="@backend"):

        @kernel(name="A", operation_type="matmul")
        class A:
            pass


def test_a_subclass_must_be_declared_itself() -> None:
    @kernel(name="A", operation_type="matmul")
    class A:
        @backend("rtl")
        def rtl(self, config: Any) -> RTLOp:
            return RTLOp("a", [])

    class B(A):
        pass

    with pytest.raises(PluginError, match="no brainsmith decorator"):
        info_of(B)
