"""Channels last: images travel pixel by pixel, all channels of one together.

Convolutions and pooling ask for their image with the channels last, and what lies between them
follows: each value that is an image gets a twin with its dimensions in the other order, and each
node that has a rule is written anew on twins. Where a node has none, its image is turned back. So
transposes are left at the borders of such regions alone, most often at the model's input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx_ir as ir

from brainsmith.api import Layout, Model, Note, Origin, TransformConfig, transform
from brainsmith.builtin.transforms.last_rules import is_trigger, rule_of, to_last

_RANKS = (3, 4)


@transform(
    name="ChannelsLast",
    stage="topology_optimization",
    description="Writes convolutional networks with the channels as the last dimension",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["layout", "convolution"],
)
class ChannelsLast:
    """Turns NCHW into NHWC (and NCW into NWC) without a transpose that the graph does not need.

    1. Conv and MaxPool become QONNX's channels-last forms, their padding written out in numbers.
    2. Average pooling becomes a convolution of each channel with weights 1 / k.
    3. BatchNormalization becomes a product and a sum, as ONNX Runtime computes it.
    4. A Flatten in front of a product moves into the order of the product's weights.

    Values keep their names where they can; their origins say in which order their elements are.
    """

    def apply(self, model: Model, config: TransformConfig) -> Model:
        """The model with its images turned; the same model where nothing asks for that."""
        if not any(is_trigger(node) for node in model.graph):
            return model
        model = model.copy()
        model.graph.sort()
        Turning(model).run()
        return model


class Turning:
    """One walk over a model.

    Attributes:
        model: the model, which changes.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._twins: dict[ir.Value, ir.Value] = {}
        self._layouts: dict[ir.Value, Layout] = {}
        self._originals: dict[ir.Value, str] = {}
        self._replaced: list[ir.Node] = []
        self._added: list[ir.Value] = []
        self._wanted = _wanted(model)

    def run(self) -> None:
        for node in list(self.model.graph):
            rule = rule_of(node)
            if rule is None or not any(value in self._wanted for value in _streams(node)):
                continue
            reason = rule(self, node)
            if reason is not None:
                self.model.notes.append(Note(node.name or "", reason))
        self._settle()

    # --- what rules ask for -----------------------------------------------------------------

    def twin(self, value: ir.Value) -> ir.Value:
        """The value with its channels last; a node turns it if no rule made one."""
        if value not in self._twins:
            rank = len(self.model.shape(value))
            self._keep(value, self._turned(value, to_last(rank)))
        return self._twins[value]

    def shape(self, value: ir.Value) -> tuple[int, ...]:
        """The shape of the value's twin."""
        shape = self.model.shape(value)
        return tuple(shape[axis] for axis in to_last(len(shape)))

    def add(
        self,
        node: ir.Node,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shape: Sequence[int],
        *,
        attributes: Mapping[str, object] | None = None,
        domain: str = "",
    ) -> ir.Value:
        """The output of a new node in front of an old one, named after it."""
        self.model.graph.opset_imports.setdefault(domain, 1)
        value = self.model.add_node(
            op_type,
            inputs,
            name_hint=f"{node.name}_{op_type}",
            domain=domain,
            attributes=attributes,
            shape=shape,
            element=node.outputs[0].dtype or ir.DataType.FLOAT,
            before=node,
        )
        self._added.append(value)
        return value

    def constant(self, hint: str, array: np.ndarray) -> ir.Value:
        """A new initializer."""
        return self.model.add_initializer(hint, array)

    def replace(self, node: ir.Node, output: ir.Value, layout: Layout | None = None) -> None:
        """Says that `output` stands for the node's output, by default with the channels last."""
        self.model.set_datatype(output, self.model.datatype(node.outputs[0]))
        self._keep(node.outputs[0], output, layout)
        self._replaced.append(node)

    def replace_further(self, output: ir.Value, first: ir.Value) -> None:
        """Says that one more output of the node behind `first` stands for one more of the old."""
        node = first.producer()
        assert node is not None  # `first` is what `add` has made
        twin = self.model.add_output(
            node,
            name_hint=output.name or "",
            shape=self.shape(output),
            element=output.dtype or ir.DataType.FLOAT,
        )
        self.model.set_datatype(twin, self.model.datatype(output))
        self._keep(output, twin)

    def reordered(self, value: ir.Value, layout: Layout) -> None:
        """Says that a value of the same name has its elements in another order now."""
        self._note(value, value.name or "", layout)

    # --- bookkeeping ------------------------------------------------------------------------

    def _keep(self, value: ir.Value, twin: ir.Value, layout: Layout | None = None) -> None:
        shape = self.model.shape(twin)
        self._twins[value] = twin
        self._originals[value] = value.name or ""
        self._layouts[value] = layout or Layout(shape, to_first(len(shape)))

    def _turned(self, value: ir.Value, order: tuple[int, ...]) -> ir.Value:
        """The value transposed behind its producer; a mere view where that moves no element."""
        shape, after = self.model.shape(value), value.producer()
        moving = [axis for axis in order if shape[axis] > 1]
        turned = tuple(shape[axis] for axis in order)
        op_type, inputs, attributes = "Transpose", [value], {"perm": list(order)}
        if moving == sorted(moving):
            target = self.constant(f"{value.name}_shape", np.array(turned, np.int64))
            op_type, inputs, attributes = "Reshape", [value, target], {}
        return self.model.add_node(
            op_type,
            inputs,
            name_hint=f"{value.name}_turned",
            attributes=attributes,
            shape=turned,
            element=value.dtype or ir.DataType.FLOAT,
            datatype=self.model.datatype(value),
            before=None if after is not None else next(iter(self.model.graph)),
            after=after,
        )

    def _note(self, value: ir.Value, original: str, layout: Layout | None = None) -> None:
        """Notes which value of the original this one is; none where there is no such value."""
        one, zero = np.array(1.0), np.array(0.0)
        self.model.origins[value.name or ""] = Origin(original, one, zero, layout)

    def _settle(self) -> None:
        """Turns back what is still read as it was, and removes the nodes that were replaced."""
        gone = set(self._replaced)
        for node in self._replaced:
            for value in node.outputs:
                readers = [(u.node, u.idx) for u in value.uses() if u.node not in gone]
                if readers or value.is_graph_output():
                    self._turn_back(value, readers)
        made = {value: node.name or "" for node in self._replaced for value in node.outputs[:1]}
        self.model.graph.remove(list(reversed(self._replaced)), safe=True)
        self._name(made)

    def _turn_back(self, value: ir.Value, readers: Sequence[tuple[ir.Node, int]]) -> None:
        twin, layout = self._twins[value], self._layouts[value]
        back = twin
        if layout.moves:
            back = self._turned(self._viewed(twin, layout.shape), layout.order)
        back = self._viewed(back, self.model.shape(value))
        if back is not twin:
            self._note(back, value.name or "")
        for reader, index in readers:
            reader.replace_input_with(index, back)
        if value.is_graph_output():
            name = value.name or ""
            self.model.rename(value, self.model.fresh_name(f"{name}_before"))
            if back is twin:
                back = self._again(back)
            self.model.rename(back, name)
            outputs = self.model.graph.outputs
            outputs[list(outputs).index(value)] = back

    def _viewed(self, value: ir.Value, shape: tuple[int, ...]) -> ir.Value:
        if self.model.shape(value) == shape:
            return value
        target = self.constant(f"{value.name}_shape", np.array(shape, np.int64))
        return self._behind(value, "Reshape", [value, target], shape)

    def _again(self, value: ir.Value) -> ir.Value:
        return self._behind(value, "Identity", [value], self.model.shape(value))

    def _behind(
        self, value: ir.Value, op_type: str, inputs: Sequence[ir.Value], shape: Sequence[int]
    ) -> ir.Value:
        return self.model.add_node(
            op_type,
            inputs,
            name_hint=f"{value.name}_{op_type}",
            shape=shape,
            element=value.dtype or ir.DataType.FLOAT,
            datatype=self.model.datatype(value),
            after=value.producer(),
        )

    def _name(self, made: Mapping[ir.Value, str]) -> None:
        """Twins and their nodes take the names of what they replace; their origins are noted."""
        model = self.model
        here = {v.name for node in model.graph for v in node.outputs}
        here |= {*model.graph.initializers, *(v.name for v in model.graph.inputs)}
        for value, twin in self._twins.items():
            original, maker = self._originals[value], twin.producer()
            if value in made:
                if maker is not None:
                    maker.name = made[value]
                if original not in here and not twin.is_graph_output():
                    model.rename(twin, original)
                    here.add(original)
            if twin.name != original or self._layouts[value].moves:
                self._note(twin, original, self._layouts[value])
        known = set(self._twins.values())
        for value in self._added:
            if value not in known:
                self._note(value, "")


def to_first(rank: int) -> tuple[int, ...]:
    """The order that brings them back."""
    return (0, rank - 1, *range(1, rank - 1))


def _streams(node: ir.Node) -> Iterator[ir.Value]:
    yield from (v for v in (*node.inputs, *node.outputs) if v is not None)


def _wanted(model: Model) -> set[ir.Value]:
    """The images that are wanted with their channels last: those of convolutions and pooling, and
    whatever is connected with them through nodes that have a rule."""
    wanted: set[ir.Value] = set()
    waiting = [
        value
        for node in model.graph
        if is_trigger(node)
        for value in (node.inputs[0], node.outputs[0])
        if value is not None
    ]
    while waiting:
        value = waiting.pop()
        if value in wanted or not _is_image(model, value):
            continue
        wanted.add(value)
        nodes = [use.node for use in value.uses()]
        producer = value.producer()
        for node in nodes if producer is None else [*nodes, producer]:
            if rule_of(node) is not None:
                waiting.extend(_streams(node))
    return wanted


def _is_image(model: Model, value: ir.Value) -> bool:
    shape = value.shape
    if shape is None or not shape.is_static() or len(shape) not in _RANKS:
        return False
    return not value.is_initializer() and model.constant(value) is None
