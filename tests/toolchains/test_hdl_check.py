"""Sources of plugins: attacks that work with plain Verilator, and are refused before any tool."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from brainsmith.errors import PluginSecurityError
from brainsmith.plugins.places import builtin_folder
from brainsmith.toolchains import tools
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check import check_sources, declared_names, rename_includes
from tests.toolchains.hdl_attacks import ATTACKS, SECRET, Attack

_MAIN = """
#include "Vt.h"
int main() {
  VerilatedContext context;
  Vt model{&context};
  model.eval();
  model.eval();
  model.final();
}
"""
_RUNTIME = ("verilated", "verilated_threads", "verilated_dpi", "verilated_random")


@pytest.fixture(scope="module")
def plain_verilator(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Attack, Path], str]:
    """Builds the sources of an attack and runs them, with nothing in between; what they print."""
    verilator, compiler = tools.verilator(), tools.compiler()
    include = Path(verilator.env["VERILATOR_ROOT"]) / "include"
    runtime = tmp_path_factory.mktemp("runtime")
    flags = ["-std=c++17", "-O0", "-w", "-DVL_TIME_CONTEXT", f"-I{include}"]
    flags += [f"-I{include / 'vltstd'}"]
    objects: list[str] = []

    def start(words: tuple[str, ...], cwd: Path, **env: str) -> str:
        done = subprocess.run(
            words, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(attack: Attack, folder: Path) -> str:
        if not objects:
            for name in _RUNTIME:
                source = str(include / f"{name}.cpp")
                start((*compiler.command, *flags, "-c", source), runtime)
                objects.append(str(runtime / f"{name}.o"))
        work = folder / "work"
        work.mkdir()
        (folder / "secret").write_text(f"{SECRET}\n")
        (folder / "secret.svh").write_text(f"localparam int SECRET = 32'h{SECRET};\n")
        _module_at(folder / "secret_module.v")
        texts = {"t.sv": text_of(attack, folder), **attack.more}
        for name, text in texts.items():
            (work / name).write_text(text, encoding="utf-8")
        solver = folder / "bin" / "z3"
        solver.parent.mkdir()
        solver.write_text(f"#!/bin/sh\ntouch {folder / 'marker'}\n")
        solver.chmod(0o755)
        options = ("--cc", "--no-timing", "-Wno-fatal", "--prefix", "Vt", "--top-module", "t")
        start((*verilator.command, *options, "--Mdir", ".", *texts), work, **verilator.env)
        pieces = [f'#include "{path.name}"\n' for path in sorted(work.glob("Vt*.cpp"))]
        (work / "main.cpp").write_text("".join(pieces) + _MAIN)
        words = (*compiler.command, *flags, "-I.", "main.cpp", *objects, "-o", "run", "-pthread")
        start(words, work)
        env = {**os.environ, "PATH": f"{solver.parent}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["./run"], cwd=work, env=env, stdout=subprocess.PIPE, text=True
        ).stdout

    return run


def _module_at(path: Path) -> None:
    path.write_text(
        f'module \\{path.with_suffix("")} ;\n  initial $display("{SECRET}");\nendmodule\n'
    )


def text_of(attack: Attack, folder: Path) -> str:
    marker = str(folder / "marker")
    return (
        attack.text.replace("@MARKER_STRING@", f'"{marker}"')
        .replace("@MARKER@", marker)
        .replace("@SECRET@", str(folder / "secret"))
    )


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_works_with_plain_verilator(
    attack: Attack, plain_verilator: Callable[[Attack, Path], str], tmp_path: Path
) -> None:
    printed = plain_verilator(attack, tmp_path)
    seen = {
        "runs": (tmp_path / "marker").exists(),
        "writes": (tmp_path / "marker").exists(),
        "reads": SECRET in printed,
        "reaches": "reached" in printed,
    }
    assert seen[attack.effect], printed


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_refused_with_file_and_line(attack: Attack, tmp_path: Path) -> None:
    more = [Source(name, text) for name, text in attack.more.items()]
    error = refused(Source("hdl/t.sv", text_of(attack, tmp_path)), *more)
    assert error.where == f"hdl/t.sv:{attack.line}"
    assert attack.refused.replace("@SECRET@", str(tmp_path / "secret")) in error.what
    assert error.hint


def refused(*sources: Source) -> PluginSecurityError:
    with pytest.raises(PluginSecurityError) as caught:
        check_sources(sources)
    return caught.value


def within(statement: str, before: str = "") -> Source:
    return Source("t.sv", f"{before}module t;\n{statement}\nendmodule\n")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("initial $finish;", "$finish"),
        ("initial $dumpfile(FILE);", "$dumpfile"),
        ("initial $monitor(x);", "$monitor"),
        ("initial x = $test$plusargs(NAME);", "$test$plusargs"),
        ("assign x = $unit::y;", "$unit"),
        ("assign x = $ bits(y);", "$"),
        ("wire a$b;", "a$b"),
        ("wire x; /* verilator public_flat_rw @(posedge clk) */", "verilator"),
        ("// verilator fargs --pipe-filter sh", "verilator"),
        ("//verilatorpublic", "verilator"),
        (f"// verilator lint_off {'A,' * 300}", "verilator"),
        ('`line 1 "/etc/passwd" 0', "`line"),
        ("`pragma protect begin", "`pragma"),
        ('`begin_keywords "1364-1995"', "`begin_keywords"),
        ("`verilator_config", "`verilator_config"),
        ("`UNKNOWN", "`UNKNOWN"),
        ("`ifdef (A && B)", "`ifdef"),
        ("`timescale 1ns / 1ps wire", None),
        ("`timescale soon", "`timescale"),
        ("` include", "backtick"),
        ("(* blackbox *) wire x;", "blackbox"),
        ("(* keep, techmap_simplemap *) wire x;", "techmap"),
        ('(* keep = "yes", ram_init_file = "x" *) wire x;', "ram_init_file"),
        ('wire _TECHMAP_DO_00_ = "proc";', "_TECHMAP_DO_00_"),
        ("wire \\brainsmith_bench ;", "brainsmith_bench"),
        ("initial brainsmith_bench.x = 1;", "brainsmith_bench"),
        ("class c; endclass", "class"),
        ("primitive p(y, x);", "primitive"),
        ('export "DPI-C" function f;', "DPI"),
        ('import "x" function f();', "import"),
        ("assign x = 8'd5force;", "'d5"),
        ("assign x = 1bind;", "'1'"),
        ('initial $display("a\\x41");', "escape"),
        ('initial $display("""a""");', "triple"),
        ('initial $display("a', "does not end"),
        ("/* never", "does not end"),
        ("wire a; \\", "backslash"),
        ("wire \u00e9;", "xe9"),
        ("// a\x00", "x00"),
        ("wire \\a/b ;", "a/b"),
        ("rom #(8) r ();", None),
    ],
)
def test_what_else_is_refused(statement: str, what: str | None) -> None:
    if what is None:
        check_sources([within(statement)])
    else:
        error = refused(within(statement))
        assert error.where == "t.sv:2" and what in error.what


@pytest.mark.parametrize(
    ("define", "use", "line"),
    [
        ("`define lower 1", "assign x = `lower;", 4),
        ("`define lower 1", "assign x = 1;", 1),
        ("`define F x", "assign x = a``_b;", 4),
        ("`define F(x) x ``_s", "`F(a)", 1),
        ("`define F(x) x``'d0", "`F(a)", 1),
        ('`define F(x) x"b"', '`F("a")', 1),
        ('`define F(x) "b"x', '`F("a")', 1),
        ("`define F(x) `include x", "`F(a)", 1),
        ("`define F(bits) $bits (bits)", "`F(a)", 1),
        ("`define F(x) $bits x", "`F(a)", 1),
        ("`define F(x, y = $bits) (x)", "`F(a)", 1),
        ("`define F(X) `X", "`F(a)", 1),
        ("`define F(x) im``x", "`F(port)", 1),
        ("`define F(x, y) x``y", "`F(im, port)", 1),
        ("`define F(x) x", "im`F(port)", 4),
        ("`define F(x) x", "`F(im)port", 4),
        ("`define F(x) x", "`F(im)`F(port)", 4),
        ("`define F(x) x", "`F($bits)", 4),
        ("`define F(x) x", "`F((a]))", 4),
        ("`define F(x) x", "`F(a", 4),
        ("`define F(x) x", '`F("a")"b"', 4),
        ("`define F(x) x", "`F(a/, b)", 4),
        ("`define F(x) x", "`F(`F(a/))", 4),
        ("`define F(x) x", "`F(`include)", 4),
        ("`define F(x) x", "assign y = /`F(*)", 4),
        ("`define F /", "assign y = a `F b;", 1),
        ('`define F ""', "assign y = `F;", 1),
        ("`define F \\esc ", "assign y = `F;", 1),
        ("`define F(x) module x", "`F(a)", 1),
        ('`define F(x) `"x`"', "`F(a)", 1),
        ("`define F x // and \\\n  y", "assign y = `F;", 1),
        ("`define F x /* and\n  y */", "assign y = `F;", 1),
        ("`define", "assign y = 1;", 1),
        ("`define F `define G", "`F", 1),
        ("`define F(x) x `F(x)", "`F(a)", 1),
    ],
)
def test_macros_that_could_make_what_is_not_seen_are_refused(
    define: str, use: str, line: int
) -> None:
    text = f"{define}\n`ifdef A\nmodule t;\n{use}\nendmodule\n"
    text = text.replace("\n`ifdef A\n", "\n`resetall\n")
    assert (
        refused(Source("t.sv", text)).where == f"t.sv:{line + (line > 1) * define.count(chr(10))}"
    )


def test_a_macro_at_the_end_of_a_header_could_take_arguments_behind_it() -> None:
    header = Source("m.svh", "`define F(x) x\n`F")
    error = refused(header, within('`include "m.svh"\n($bits)'))
    assert error.where == "m.svh:2"


ROM = """
module rom #(parameter string F = "", parameter [8*4-1:0] G = "rom1");
  reg m [4];
  initial if (F == "") $readmemh(G, m);
  initial if ("" != F) $readmemh(F, m);
endmodule
"""


@pytest.mark.parametrize(
    ("use", "line"),
    [
        ("rom r ();", None),
        ('rom #(.F("a.mem"), .G("")) r ();', None),
        ('rom #(.F(W > 2 ? "a.mem" : "b.mem")) r ();', None),
        ("rom #() r (); initial #1 x = 1; cover property (a ##1 b);", None),
        ('rom #(.F("a/b.mem")) r ();', 3),
        ('rom #(.F(".hidden")) r ();', 3),
        ('rom #(.F({"a", "b"})) r ();', 3),
        ('rom #(.F(W ? 8\'h2f : "")) r ();', 3),
        ("rom #(.F(pkg::NAME)) r ();", 3),
        ("rom #(.F(names[0])) r ();", 3),
        ("rom #(.F(NAME)) r (); localparam NAME = {8'h2f};", 3),
        ('rom #(.F(NAME)) r (); localparam NAME = "a", OTHER = 1;', None),
        ("rom #(.F(NAME)) r (); string NAME;", 3),
        ("rom #(.F(NAME)) r (); function f(string NAME);", 3),
        ('rom #(.F(NAME)) r (); parameter OTHER = (1 + 2), NAME = "a", MORE = 3;', None),
        ("rom #(.F(NAME)) r (); parameter int OTHER = {1, 2}, string NAME;", None),
        ('rom #(.F(NAME)) r (); parameter OTHER = 1, NAME = "/a";', 3),
        ('rom #(.F(NAME)) r (); parameter OTHER = 1; string MORE, NAME = "a";', 3),
        ('rom #(.F(NAME)) r (); parameter X = 1; initial f(parameter, (NAME = "a", NAME));', 3),
        ('rom #(.F(NAME)) r (); parameter X = f(1, NAME = "a");', 3),
        ("rom #(.F(NAME)) r (); initial NAME = 1;", 3),
        ("rom #(.F(NAME)) r (); initial {NAME} = 1;", 3),
        ("rom #(.F(\\NAME )) r (); initial {NAME} = 1;", 3),
        ("rom #(`WITH) r ();", 3),
        ("rom #`WITH r ();", 3),
        ("rom #", 3),
        ("rom #(.F(" + "(" * 80, 3),
        ("initial $readmemh(F", 3),
        ("initial $readmemh;", 3),
        ("initial $readmemb(F[0], m);", 3),
    ],
)
def test_which_file_a_memory_reads_is_seen(use: str, line: int | None) -> None:
    sources = Source("rom.sv", ROM), within(use, "`define WITH (1)\n")
    if line is None:
        check_sources(sources)
    else:
        assert refused(*sources).where == f"t.sv:{line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import own::*; timeunit 1ns; (* keep *) module a; endmodule : a\n;", None),
        ("module a import own::*; (); wire [own::W-1:0] x; endmodule", None),
        ("macromodule a; endmodule interface b; endinterface", None),
        ("localparam F = 1;", 1),
        ("typedef enum {F} t;", 1),
        ("string f;", 1),
        ("module a; endmodule\nfunction int f(); endfunction", 2),
        ("module a; module b; endmodule\nparameter F = 1; endmodule", 2),
        ("module a; virtual interface b c; endmodule\nparameter F = 1;", 2),
        ("module a; endmodule : parameter F = 1;", 1),
        ("import other::*;", 1),
        ("module a; wire [other::W-1:0] x; endmodule", 1),
        ("`define OTHER other\nmodule a; wire [`OTHER::W-1:0] x; endmodule", 2),
        ("`define ALL parameter F = 1;\n`ALL", 2),
        ("`define ALL endmodule parameter F = 1; module b;\nmodule a; `ALL endmodule", 1),
    ],
)
def test_nothing_is_declared_for_all_plugins(text: str, line: int | None) -> None:
    sources = Source("own.sv", "package own; localparam W = 1; endpackage"), Source("t.sv", text)
    if line is None:
        check_sources(sources)
    else:
        assert refused(*sources).where == f"t.sv:{line}"


@pytest.mark.parametrize(
    ("header", "outside", "fine"),
    [
        ("`define A 1\n`ifdef B\n`endif\n", True, True),
        ("localparam A = 1;\n", True, False),
        ("localparam A = 1;\n", False, True),
        ("endmodule localparam A = 1; module b;", False, False),
        ('`include "more.svh"\n', True, False),
    ],
)
def test_headers_declare_nothing_for_all_plugins(header: str, outside: bool, fine: bool) -> None:
    include = '`include "a.svh"'
    source = within("", f"{include}\n") if outside else within(include)
    sources = [Source("a.svh", header), Source("more.svh", "localparam B = 1;"), source]
    if fine:
        check_sources(sources)
    else:
        refused(*sources)


def test_names_of_memory_files_are_bounded() -> None:
    chain = "".join(f"x #(.F{i}(F{i + 1})) y ();\n" for i in range(257))
    assert "256 names" in refused(within(f"initial $readmemh(F0, m);\n{chain}")).what


def test_a_value_that_goes_on_behind_a_header_is_refused() -> None:
    header = Source("part.svh", "rom #(.F(")
    sources = header, Source("rom.sv", ROM), within('`include "part.svh"\n"/etc/hostname")) r ();')
    assert refused(*sources).where == "part.svh:1"


COMMON = r"""
// Names such as `valid` and $system in comments are prose; so is "a string", and \ an escape.
`ifndef COMMON_SVH
`define COMMON_SVH
`define MAX(a, b) ((a) > (b) ? (a) : (b))  /* bits */
`define FF(q, d, rst_value = '0) \
  always_ff @(posedge clk) begin \
    if (!rst_n) q <= rst_value; \
    else        q <= d; \
  end
`define AXIS(name, width) \
  input  logic [(width)-1:0] s_axis_``name``_tdata, \
  input  logic               s_axis_``name``_tvalid, \
  output logic               s_axis_``name``_tready
`define WIDTH 8
`define CHECK(name, p, message) \
  name: assert property (@(posedge clk) disable iff (!rst_n) p) \
    else $error("%s: %0d at %0t", message, $bits(p), $time());
`endif
"""
KERNEL = r"""
`timescale 1ns / 1ps
`default_nettype none
`include "common.svh"
/* verilator lint_off WIDTHEXPAND */
// verilator lint_off UNUSED -- the upper bits
module kernel #(
  parameter int     WIDTH = `WIDTH,
  parameter string  ROM   = "",
  parameter [8*9:1] MODE  = "unsigned",
  localparam int    DEPTH = 2**$clog2(`MAX(WIDTH, 3))
) (
  input logic clk, rst_n,
  `AXIS(x, `WIDTH),
  output logic [WIDTH-1:0] m_axis_y_tdata
);
  (* ram_style = "block", KEEP *) logic [WIDTH-1:0] memory [0:DEPTH-1];
  logic [WIDTH-1:0] \odd[0].name , q;
  typedef enum logic [1:0] {IDLE, RUN} state_t;
  localparam logic [7:0] MASK = 8'hFF, OTHER = 'h_a5;
  initial if (ROM != "") $readmemh(ROM, memory);
  initial if ($bits(memory) < 1) $fatal(1, "of %m:\n\t\"%0d\" \\ bits", $bits(memory));
  assign \odd[0].name = 8'sd3 + `WIDTH'd1 - 4 'b01_x? / 2 * (WIDTH/3);
  `FF(q, s_axis_x_tdata)
  `FF(m_axis_y_tdata, q ^ MASK, '1)
  `CHECK(stable, s_axis_x_tvalid |=> $stable(q) || $past(q) == '0, "q")
  always @(*) if (WIDTH == 1) $display("%b", $signed(q));
  for (genvar i = 0; i < 2; i++) begin : g_part
    part #(.ROM(i == 0 ? ROM : "other_part.mem"), .N(i)) part_i (.clk, .*);
  end
`ifdef VERILATOR
  int queue [$];
`elsif OTHER
`else
`endif
endmodule
`default_nettype wire
`undef WIDTH
"""
PART = """
module part #(parameter ROM = "part.mem", parameter N = 0) (input wire clk);
  logic [3:0] words [4];
  initial $readmemb(ROM, words, 0, 3);
endmodule
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_synthesizable_code_usually_holds_is_allowed(end: str) -> None:
    texts = {"common.svh": COMMON, "kernel.sv": KERNEL, "part.sv": PART}
    check_sources([Source(name, text.replace("\n", end)) for name, text in texts.items()])


def test_the_built_in_kernels_pass() -> None:
    kernels = builtin_folder() / "kernels"
    sources = [Source(path.name, path.read_text()) for path in sorted(kernels.rglob("*.sv"))]
    assert len(sources) > 20
    check_sources(sources)


def test_a_header_is_one_of_the_sources_by_its_plain_name() -> None:
    header = Source("hdl/a.svh", "`define A 1\n")
    check_sources([header, within('`include "a.svh"')])
    assert "not a header" in refused(within('`include "a.svh"')).what
    assert "two headers" in refused(header, Source("a.svh", ""), within('`include "a.svh"')).what
    assert "not a header" in refused(Source("a.sv", ""), within('`include "a.sv"')).what


def test_headers_are_renamed_where_they_are_included() -> None:
    text = '// `include "a.svh"\n`include "a.svh"\n$display("a.svh"); `include   "b.svh"\n'
    renamed = rename_includes(Source("t.sv", text), {"a.svh": "plugin_a.svh"}).text
    assert renamed == text.replace('\n`include "a.svh"', '\n`include "plugin_a.svh"')


def test_declared_names_are_those_of_modules_interfaces_and_packages() -> None:
    text = "// module no\nmodule automatic a; endmodule interface \\b ; endinterface package c;"
    assert declared_names(Source("t.sv", text)) == {"a", "b", "c"}


def test_an_implementation_is_bounded() -> None:
    assert "513 sources" in refused(*(Source(f"{i}.sv", "") for i in range(513))).what
    assert "characters" in refused(Source("t.sv", " " * 2_000_001)).what
