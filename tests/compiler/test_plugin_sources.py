"""What a plugin's backend may return, and what its sources may hold, on the way to the tools."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.compiler import CompilationStrategy, CompileOptions, KernelSpec
from brainsmith.compiler.codegen import generate, project
from brainsmith.compiler.frontend import FrontEnd, front_end
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.targets import get_target
from brainsmith.errors import PluginError, PluginSecurityError, ToolError, VerificationError
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder
from brainsmith.testing import KernelCase, check_kernel
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort, Unit
from brainsmith.toolchains.verilator import build_simulation
from brainsmith.toolchains.yosys import synthesize
from tests.plugins.folders import TRUSTED

from .integer_models import Builder

DATA = Path(__file__).parent.parent / "plugins/data/sign_flip"
HDL = Path(__file__).parent.parent / "toolchains/hdl"
GOOD = 'RTLOp("sign_flip", ["sign_flip.sv"], sizes)'

Implement = Callable[..., Module]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The folder of a plugin with a kernel for y = -x, which a test may change."""
    folder = tmp_path / "plugins/sign_flip"
    folder.mkdir(parents=True)
    manifest = (DATA / "brainsmith.yaml").read_text().partition("\ntargets:")[0]
    (folder / "brainsmith.yaml").write_text(manifest)
    for name in ("sign_flip.py", "sign_flip.sv"):
        (folder / name).write_text((DATA / name).read_text())
    return folder


def returning(plugin: Path, op: str) -> None:
    """Makes the plugin's backend return what the expression `op` says; `sizes` are parameters."""
    code = (DATA / "sign_flip.py").read_text()
    assert GOOD in code
    (plugin / "sign_flip.py").write_text("import numpy as np\n" + code.replace(GOOD, op))


def front(plugin: Path) -> FrontEnd:
    """The design; the plugin's code runs here, as a worker would refuse some of it before."""
    registry = PluginRegistry([plugin.parent, builtin_folder()], distributions=False)
    registry = registry.confined(TRUSTED)
    builder = Builder([1, 6], "INT4")
    negated = builder.add("Neg", ["x"], "n", [1, 6], "INT5")
    weights = np.random.default_rng(0).integers(-7, 8, (6, 4))
    model = builder.save(plugin.parent / "m.onnx", builder.matmul(negated, "y", weights))
    kernels = [KernelSpec("SignFlip"), KernelSpec("MatMul")]
    strategy = CompilationStrategy("s", kernels, extends=None)
    options = CompileOptions(target="ecp5-25k", synthesize=False)
    target = get_target("ecp5-25k", registry)
    return front_end(model, strategy.resolved(registry), target, registry, options, Silent())


def modules(plugin: Path) -> list[Module]:
    return [
        module
        for partition in front(plugin).design.partitions
        for module in implement(partition.instances)
    ]


def of_plugin(plugin: Path) -> Module:
    (module,) = [
        module for module in modules(plugin) if module.instance.candidate.kernel.name == "SignFlip"
    ]
    return module


def test_what_a_good_plugin_returns_is_taken(plugin: Path) -> None:
    returning(
        plugin,
        'RTLOp("sign_flip", ["./sign_flip.sv"], {**sizes, "NAME": "a-b_c.d", "BIG": 1 << 99, '
        '"COUNT": np.int64(3), "ON": True}, {"ROM": np.eye(3, dtype=bool)}, '
        '{"more.svh": "`define MORE 1\\n"})',
    )
    module = of_plugin(plugin)
    assert module.parameters["NAME"] == "a-b_c.d"
    assert module.files == {module.parameters["ROM"]: b"1\n2\n4\n"}
    assert [source.name for source in module.sources] == ["sign-flip_sign_flip.sv", "more.svh"]


NAMES = [
    ('RTLOp("a (); initial $system(x); a", [])', "the module"),
    ('RTLOp("", [])', "the module"),
    ('RTLOp("endmodule", [])', "the module"),
    ('RTLOp("a$b", [])', "the module"),
    ('RTLOp(3, [])', "the module"),
    ('RTLOp("a", [], {"X(1), .Y": 2})', "the parameter"),
    ('RTLOp("a", [], {}, {"X)": np.ones((1, 1), int)})', "the memory's parameter"),
    *(
        (f'RTLOp("a", [], {{"X": {value!r}}})', "the parameter X")
        for value in ("../x", "/x", '"', "\\", "`x", "$x", "a\nb", "\xe9", "x" * 1001)
    ),
    *(
        (f'RTLOp("a", [], {{}}, {{}}, {{{name!r}: ""}})', "the generated file")
        for name in (
            "a.sv; tee -o x help", "../a.sv", "b/a.sv", "-a.sv", ".a.sv", "a b.sv", "a.vlt",
            "a.cpp", "a", "a.sv\n", "",
        )
    ),
    *(
        (f'RTLOp("a", [{name!r}])', "the source")
        for name in ("/etc/hostname", "../../secret.sv", "link.sv", "a b.sv", "a;b.sv", "x.vlt", "")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("op", "what"), NAMES)
def test_names_and_strings_that_would_be_more_than_that_are_refused(
    op: str, what: str, plugin: Path
) -> None:
    (plugin.parent.parent / "secret.sv").write_text("module secret; endmodule\n")
    (plugin / "link.sv").symlink_to(plugin.parent.parent / "secret.sv")
    returning(plugin, op)
    with pytest.raises(PluginSecurityError) as caught:
        of_plugin(plugin)
    assert what in caught.value.what
    assert caught.value.where == "sign-flip:SignFlip, backend rtl" and caught.value.hint


@pytest.mark.parametrize(
    ("op", "what"),
    [
        ('RTLOp("a", [], {"X": 1.5})', "float"),
        ('RTLOp("a", [], {"X": 1 << (1 << 20)})', "bits"),
        ('RTLOp("a", [], {f"X{i}": 1 for i in range(513)})', "513 parameters"),
        ('RTLOp("a", [], {"X": 1, "x": 2})', "case"),
        ('RTLOp("a", "sign_flip.sv")', "no list"),
        ('RTLOp("a", [], {}, {"X": [[1]]})', "no array"),
        ('RTLOp("a", [], {}, {"X": np.ones(3, int)})', "no array"),
        ('RTLOp("a", [], {}, {"X": np.ones((3, 2))})', "no array"),
        ('RTLOp("a", [], {}, {"X": np.ones((0, 2), int)})', "0 bits"),
        ('RTLOp("a", [], {}, {"X": np.broadcast_to(np.int8(1), (1 << 15, 1 << 14))})', "bits"),
        ('RTLOp("a", [], {}, {"X": np.array([[0, 2]])})', "0 to 2"),
        ('RTLOp("a", [], {}, {"X": np.array([[-1, 0]])})', "-1 to 0"),
        ('RTLOp("a", [], {}, {}, {"a.sv": b""})', "no text"),
        ('RTLOp("a", ["gone.sv"])', "No such file"),
        ('RTLOp("a", ["pipe.sv"])', "no file"),
        ('RTLOp("a", ["latin.sv"])', "UTF-8"),
    ],
)
def test_values_of_another_kind_or_size_are_refused(op: str, what: str, plugin: Path) -> None:
    os.mkfifo(plugin / "pipe.sv")
    (plugin / "latin.sv").write_bytes(b"// \xe9\n")
    returning(plugin, op)
    with pytest.raises(PluginError) as caught:
        of_plugin(plugin)
    assert what in str(caught.value)
    assert caught.value.where == "sign-flip:SignFlip, backend rtl"


def test_a_source_that_runs_a_program_is_refused_with_its_line(plugin: Path) -> None:
    source = plugin / "sign_flip.sv"
    source.write_text(
        source.read_text().replace("endmodule", '  initial $system("id");\nendmodule')
    )
    line = source.read_text().count("\n") - 1
    with pytest.raises(PluginSecurityError, match=r"'\$system'") as caught:
        of_plugin(plugin)
    assert caught.value.where == f"sign-flip/sign_flip.sv:{line}"


def test_so_is_generated_text(plugin: Path) -> None:
    returning(plugin, 'RTLOp("a", [], generated={"a.sv": "\\nmodule a; initial $c(0);"})')
    with pytest.raises(PluginSecurityError, match=r"'\$c'") as caught:
        of_plugin(plugin)
    assert caught.value.where == "a.sv:2"


@pytest.mark.parametrize("name", ["bs_matmul", "partition"])
def test_a_source_takes_the_place_of_no_other_module(name: str, plugin: Path) -> None:
    design = front(plugin).design
    (partition,) = design.partitions
    taken = partition.name if name == "partition" else name
    with (plugin / "sign_flip.sv").open("a") as file:
        file.write(f"module {taken}; endmodule\n")
    found = implement(partition.instances)
    with pytest.raises(PluginError, match=f"both declare '{taken}'"):
        generate(partition, found)
    if taken == name:
        with pytest.raises(PluginError, match=f"both declare '{taken}'"):
            project(found)


INCLUDING = """\
`include "width.svh"
`include "generated.svh"
"""


def with_headers(plugin: Path) -> None:
    """A plugin whose source lies in a folder and includes one header of it, and a generated one."""
    (plugin / "hdl").mkdir()
    text = (plugin / "sign_flip.sv").read_text()
    assert text.count("X_BITS:0]") == 1 and "-value" in text
    text = text.replace("X_BITS:0]", "`WIDE(X_BITS)").replace("-value", "`NEGATED value")
    (plugin / "hdl/sign_flip.sv").write_text(INCLUDING + text)
    (plugin / "hdl/width.svh").write_text("`define WIDE(bits) bits:0]\n")
    returning(
        plugin,
        'RTLOp("sign_flip", ["hdl/width.svh", "hdl/sign_flip.sv"], sizes, '
        'generated={"generated.svh": "`define NEGATED -\\n"})',
    )


def test_headers_have_names_of_their_own(plugin: Path) -> None:
    with_headers(plugin)
    module = of_plugin(plugin)
    names = [source.name for source in module.sources]
    assert names == ["sign-flip_hdl_width.svh", "sign-flip_hdl_sign_flip.sv", "generated.svh"]
    first, second = module.sources[1].text.splitlines()[:2]
    assert (first, second) == ('`include "sign-flip_hdl_width.svh"', '`include "generated.svh"')


@pytest.mark.slow
def test_headers_of_a_plugin_are_found_by_simulation_and_synthesis(
    plugin: Path, tmp_path: Path
) -> None:
    with_headers(plugin)
    registry = PluginRegistry([plugin.parent, builtin_folder()], distributions=False)
    cases = [KernelCase({"N": 2, "C": 6}, {"x": "INT4", "y": "INT5"}, {"PE": 3})]
    assert [result.passed for result in check_kernel("SignFlip", cases, registry=registry)] == [
        True
    ]
    module = of_plugin(plugin)
    hdl = Hdl(module.sources, module.files)
    netlist = synthesize(hdl, module.unit, "ecp5", cache=BuildCache(tmp_path / "cache"))
    assert netlist.resources["LUT"] > 0


# Without the checks above, what a backend returned would reach the tools, and did.

PORTS = (StreamPort("x", "in", 1, 8), StreamPort("y", "out", 1, 8))
FIFO = Source("test_fifo.sv", (HDL / "test_fifo.sv").read_text())


@pytest.mark.slow
def test_a_name_of_a_file_would_be_options_of_yosys(tmp_path: Path) -> None:
    sources = Source("a.sv", FIFO.text), Source("a.sv --injected b.sv", "")
    unit = Unit("fifo", "test_fifo", {}, PORTS)
    with pytest.raises(ToolError, match="unknown command line argument '--injected'"):
        synthesize(Hdl(sources), unit, "ecp5", cache=BuildCache(tmp_path))


@pytest.mark.slow
def test_a_name_of_a_module_would_be_code_of_the_top(tmp_path: Path) -> None:
    top = 'test_fifo a (); initial $fatal(1, "injected"); test_fifo'
    simulation = build_simulation(
        Hdl((FIFO,)), [Unit("fifo", top, {}, PORTS)], cache=BuildCache(tmp_path)
    )
    with pytest.raises(VerificationError, match="injected"):
        simulation.run({"fifo": {"x": np.zeros((1, 1), int)}}, frames_out={"fifo": {"y": 1}})


@pytest.mark.slow
def test_a_string_would_be_the_path_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1\n0\n")
    dot = Source("test_dot.sv", (HDL / "test_dot.sv").read_text())
    ports = (StreamPort("x", "in", 1, 4, signed=True), StreamPort("y", "out", 1, 16, signed=True))
    parameters = {"LANES": 1, "BEATS": 2, "WEIGHTS": str(tmp_path / "secret")}
    unit = Unit("dot", "test_dot", parameters, ports)
    simulation = build_simulation(Hdl((dot,)), [unit], cache=BuildCache(tmp_path / "cache"))
    inputs = {"dot": {"x": np.array([[3, 5]])}}
    outputs = simulation.run(inputs, frames_out={"dot": {"y": 1}})["dot"].outputs["y"]
    assert outputs.tolist() == [[3]]
