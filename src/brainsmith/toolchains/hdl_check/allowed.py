"""What a plugin's SystemVerilog may name: lists of what is allowed, wherever a list is open.

Only the keywords of the language are a closed list, so for them those that are refused are named.
"""

from __future__ import annotations

import re

# Queries of types and arrays, conversions, arithmetic for constants, bit vectors, assertions, and
# messages. None of them reads or writes a file but $readmemh and $readmemb, which have rules of
# their own; $urandom and $random are missing as a netlist has no such thing.
SYSTEM_NAMES = frozenset(
    """
    $bits $dimensions $high $increment $isunbounded $left $low $right $size $typename
    $unpacked_dimensions
    $cast $itor $rtoi $signed $unsigned
    $ceil $clog2 $exp $floor $hypot $ln $log10 $pow $sqrt
    $acos $acosh $asin $asinh $atan $atan2 $atanh $cos $cosh $sin $sinh $tan $tanh
    $countbits $countones $isunknown $onehot $onehot0
    $changed $fell $past $rose $sampled $stable
    $display $displayb $displayh $error $fatal $info $realtime $sformatf $time $warning $write
    $readmemb $readmemh
    """.split()  # noqa: SIM905
)
READERS = frozenset(("$readmemb", "$readmemh"))

# Directives with what has to follow them on their line.
_NAME = r"[ \t]+[A-Za-z_]\w*"
DIRECTIVES = {
    "`celldefine": re.compile(""),
    "`default_nettype": re.compile(r"[ \t]+(none|wire)"),
    "`else": re.compile(""),
    "`elsif": re.compile(_NAME),
    "`endcelldefine": re.compile(""),
    "`endif": re.compile(""),
    "`ifdef": re.compile(_NAME),
    "`ifndef": re.compile(_NAME),
    "`include": re.compile(r'[ \t]+"[^"\n]*"'),
    "`resetall": re.compile(""),
    "`timescale": re.compile(r"[ \t]+10{0,2}[ \t]*[munpf]?s[ \t]*/[ \t]*10{0,2}[ \t]*[munpf]?s"),
    "`undef": re.compile(_NAME),
}

# Refused keywords, by what they would do.
KEYWORDS = {
    **dict.fromkeys(
        ("bind", "force", "release", "deassign", "defparam", "alias"),
        "reaches into modules that are not the plugin's",
    ),
    **dict.fromkeys(
        ("class", "rand", "randc", "randcase", "randomize", "randsequence", "constraint", "solve"),
        "is for test benches; Verilator starts a solver for it",
    ),
    **dict.fromkeys(
        ("std", "process", "mailbox", "semaphore", "program", "covergroup", "coverpoint"),
        "is for test benches",
    ),
    **dict.fromkeys(
        ("config", "library", "liblist", "design", "incdir", "use", "export", "extern", "chandle"),
        "names what lies outside the plugin's sources",
    ),
    **dict.fromkeys(("primitive", "table", "endtable"), "is read by other rules than modules"),
}

# Hints for synthesis, as the tools of the targets, of Vivado and of Quartus know them.
ATTRIBUTES = frozenset(
    """
    async_reg direct_enable dont_touch extract_enable extract_reset fsm_encoding fsm_extract
    full_case keep keep_hierarchy mark_debug max_fanout mem2reg nomem2reg no_rw_check
    parallel_case ram_block ram_decomp ram_style ramstyle rom_block rom_style romstyle
    rw_addr_collision shreg_extract srl_style syn_encoding syn_keep syn_multstyle syn_preserve
    syn_ramstyle syn_romstyle syn_srlstyle use_dsp use_dsp48 multstyle
    x_interface_ignore x_interface_info x_interface_mode x_interface_parameter
    """.split()  # noqa: SIM905
)

# A comment that Verilator takes for an instruction; `fargs` among them would be options of its
# command line. Only those that concern warnings, coverage, waves and how code is split.
PRAGMA = re.compile(r"(?://|/\*)[ \t\r\n]*verilator")
PRAGMAS = re.compile(
    r"""[ \t]+(?:
        lint_(?:off|on)[ \t][\w ,]*(?:(?://|--|:)[^\n*]*)?
      | lint_save | lint_restore | coverage_off | coverage_on | coverage_block_off
      | tracing_off | tracing_on | full_case | parallel_case | split_var | isolate_assignments
      | inline_module | no_inline_module | no_inline_task | unroll_full | unroll_disable
    )[ \t]*(?:\*/)?""",
    re.X | re.A,
)

# A wire of such a name holds commands that Yosys runs when it maps a module.
COMMANDS = "techmap"
# What is generated around a plugin's modules: the test bench, the harness of place and route.
OURS = "brainsmith_"

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.A)
HEADERS = (".svh", ".vh")
