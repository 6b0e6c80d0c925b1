"""SystemVerilog that runs programs, reads and writes files, or reaches into other modules.

Each attack works with plain Verilator, as `test_hdl_check` shows; the line is where it is refused.
`@MARKER@` stands for a file that nobody else makes, `@SECRET@` for a file that nobody should read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SECRET = "0bad5eed"


@dataclass(frozen=True)
class Attack:
    """Sources with a module `t`.

    Args:
        effect: "runs" and "writes" leave a file at @MARKER@; "reads" prints the secret; "reaches"
            prints "reached".
        refused: what the refusal quotes.
        line: where, in the first source.
    """

    name: str
    text: str
    effect: str
    refused: str
    line: int = 1
    more: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _initial(statements: str, before: str = "") -> str:
    return f"{before}module t;\n  initial begin\n    {statements}\n  end\nendmodule\n"


_TOUCH = '"touch @MARKER@"'
_SHOW = "reg [31:0] m [1];"
_PRINT = '$display("%08x", m[0]);'
_VICTIM = "module victim;\n  reg mine = 0;\nendmodule\n"

PROGRAMS = [
    Attack("$system", _initial(f"$system({_TOUCH});"), "runs", "$system", 3),
    Attack(
        "$system as a function",
        _initial(f"if ($system({_TOUCH}) != 0) $stop;"),
        "runs",
        "$system",
        3,
    ),
    Attack("$c", _initial(r'$c("system(\"touch @MARKER@\");");'), "runs", "$c", 3),
    Attack(
        "$c32", _initial(r'if ($c32("system(\"touch @MARKER@\")") != 0) $stop;'), "runs", "$c32", 3
    ),
    Attack(
        "DPI import",
        'module t;\n  import "DPI-C" function int system(string command);\n'
        f"  initial if (system({_TOUCH}) != 0) $stop;\nendmodule\n",
        "runs",
        "DPI",
        2,
    ),
    *(
        Attack(
            f"`systemc_{section}",
            f"module t;\n`systemc_{section}\n{code}\n`verilog\n"
            '  reg r;\n  initial $display("%d", r);\nendmodule\n',
            "runs",
            f"`systemc_{section}",
            2,
        )
        for section, code in (
            (
                "imp_header",
                '#ifndef EVIL\n#define EVIL\nint evil = std::system("touch @MARKER@");\n#endif',
            ),
            ("ctor", '(void)!std::system("touch @MARKER@");'),
        )
    ),
    Attack(
        "a solver",
        _initial("if (std::randomize(x) with {x > 3;} == 0) $stop;", "").replace(
            "module t;", "module t;\n  int x;"
        ),
        "runs",
        "std",
        4,
    ),
]

# The name, or the place that hides it, is made by macros or by what tools read differently.
HIDDEN = [
    Attack(
        "pasted by two backticks",
        _initial(f"`PASTE($sys, tem)({_TOUCH});", "`define PASTE(a, b) a``b\n"),
        "runs",
        "$sys",
        4,
    ),
    Attack(
        "pasted in a body",
        _initial(f"`RUN({_TOUCH});", "`define RUN $sys``tem\n"),
        "runs",
        "$sys",
    ),
    Attack(
        "pasted behind an allowed name",
        _initial("`SHOW(memh)(@MARKER_STRING@, m);", "`define SHOW(x) $write``x\n").replace(
            "module t;", f"module t; {_SHOW}"
        ),
        "writes",
        "$write",
    ),
    Attack(
        "behind an argument",
        _initial(f"`SAME($sys)tem({_TOUCH});", "`define SAME(x) x\n"),
        "runs",
        "$sys",
        4,
    ),
    Attack(
        "before a macro",
        _initial(f"$sys`TEM({_TOUCH});", "`define TEM tem\n"),
        "runs",
        "$sys",
        4,
    ),
    Attack(
        "a dollar from a macro",
        _initial(f"`DOLLAR``system({_TOUCH});", "`define DOLLAR $\n"),
        "runs",
        "$",
    ),
    Attack(
        "a directive from a formal argument",
        "`define R(x) `x\nmodule t;\n`R(systemc_imp_header)\n"
        '#ifndef EVIL\n#define EVIL\nint evil = std::system("touch @MARKER@");\n#endif\n`verilog\n'
        '  reg r;\n  initial $display("%d", r);\nendmodule\n',
        "runs",
        "`x",
    ),
    Attack(
        "stringified",
        _initial(
            f'$display(`TEXT(" ); $system({_TOUCH}); $display(" ));', '`define TEXT(x) `"x`"\n'
        ),
        "runs",
        "backtick",
    ),
    Attack(
        "in a string that an escaped name takes the quote of",
        "`define ESC \\esc\nmodule t;\n"
        f"  parameter RUN = {_TOUCH};\n"
        '  wire `ESC" ; initial $system(RUN); wire \\n" ;\nendmodule\n',
        "runs",
        "touches the macro",
        4,
    ),
    Attack(
        "in a comment that an argument begins before",
        _initial(f"`SLASH(*) // */ $system({_TOUCH});", "`define SLASH(x) /x\n"),
        "runs",
        "/",
    ),
    Attack(
        "in a string of an attribute",
        f"module t;\n  parameter RUN = {_TOUCH};\n"
        '  (* keep = "*) initial $system(RUN); (* keep" *) wire w;\nendmodule\n',
        "runs",
        "*)",
        3,
    ),
    Attack("Ctrl-Z inside", _initial(f"$sys\x1atem({_TOUCH});"), "runs", r"\x1a", 3),
    Attack("a byte order mark inside", _initial(f"$sys\ufefftem({_TOUCH});"), "runs", "feff", 3),
]

FILES = [
    Attack(
        "`include by an absolute path",
        'module t;\n`include "@SECRET@.svh"\n  initial $display("%08x", SECRET);\nendmodule\n',
        "reads",
        "@SECRET@.svh",
        2,
    ),
    Attack(
        "`include by ..",
        'module t;\n`include "../secret.svh"\n  initial $display("%08x", SECRET);\nendmodule\n',
        "reads",
        "../secret.svh",
        2,
    ),
    Attack(
        "`include of a macro",
        '`define FILE "@SECRET@.svh"\nmodule t;\n`include `FILE\n'
        '  initial $display("%08x", SECRET);\nendmodule\n',
        "reads",
        "`include",
        3,
    ),
    Attack(
        "`include between < and >",
        'module t;\n`include <@SECRET@.svh>\n  initial $display("%08x", SECRET);\nendmodule\n',
        "reads",
        "`include",
        2,
    ),
    Attack(
        "a module by the path of its file",
        "module t;\n  \\@SECRET@_module m ();\nendmodule\n",
        "reads",
        "@SECRET@",
        2,
    ),
    *(
        Attack(name, text, "reads", refused, line)
        for name, text, refused, line in (
            (
                "$readmemh by an absolute path",
                f'module t;\n  {_SHOW}\n  initial begin $readmemh("@SECRET@", m); {_PRINT} end\n'
                "endmodule\n",
                "$readmemh",
                3,
            ),
            (
                "$readmemh by ..",
                f'module t;\n  {_SHOW}\n  initial begin $readmemh("../secret", m); {_PRINT} end\n'
                "endmodule\n",
                "$readmemh",
                3,
            ),
            (
                "$readmemh of joined strings",
                f'module t;\n  {_SHOW}\n  initial begin $readmemh({{"..", 8\'h2f, "secret"}}, m); '
                f"{_PRINT} end\nendmodule\n",
                "$readmemh",
                3,
            ),
            (
                "$readmemh of a parameter's default",
                f'module t #(parameter string F = "../secret");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                "'F'",
                1,
            ),
            (
                "$readmemh of what an instance is given",
                'module t;\n  rom #(.F("../secret")) r ();\nendmodule\n'
                f'module rom #(parameter string F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                '"../secret"',
                2,
            ),
            (
                "$readmemh of what is passed on",
                'module t;\n  mid #(.G("../secret")) r ();\nendmodule\n'
                'module mid #(parameter string G = "");\n  rom #(.F(1 ? G : "x")) r ();\n'
                "endmodule\n"
                f'module rom #(parameter string F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                '"../secret"',
                2,
            ),
            (
                "$readmemh of what is given by order",
                'module t;\n  rom #("../secret") r ();\nendmodule\n'
                f'module rom #(parameter string F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                "#",
                2,
            ),
            (
                "$readmemh of what defparam gives",
                'module t;\n  rom r ();\n  defparam r.F = "../secret";\nendmodule\n'
                f'module rom #(parameter F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                "defparam",
                3,
            ),
            (
                "$readmemh of a variable",
                f"module t;\n  {_SHOW}\n  string f;\n"
                f'  initial begin f = {{"..", 8\'h2f, "secret"}}; $readmemh(f, m); {_PRINT} end\n'
                "endmodule\n",
                "'f'",
                3,
            ),
            (
                "$readmemh of a name that a macro pastes",
                '`define SET(x, v) .x``_F(v)\nmodule t;\n  rom #(`SET(M, "../secret")) r ();\n'
                "endmodule\n"
                f'module rom #(parameter string M_F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(M_F, m); {_PRINT} end\nendmodule\n",
                "_F",
                1,
            ),
            (
                "$readmemh of a name and a value from macros",
                '`define GIVE #(.F("../secret"))\nmodule t;\n  rom `GIVE r ();\nendmodule\n'
                f'module rom #(parameter string F = "");\n  {_SHOW}\n'
                f"  initial begin $readmemh(F, m); {_PRINT} end\nendmodule\n",
                '"../secret"',
                1,
            ),
            (
                "$fopen and $fscanf",
                "module t;\n  int f; reg [31:0] x;\n  initial begin\n"
                '    f = $fopen("../secret", "r");\n    if ($fscanf(f, "%h", x) == 1) '
                '$display("%08x", x);\n  end\nendmodule\n',
                "$fopen",
                4,
            ),
        )
    ),
    Attack(
        "$fopen for writing",
        'module t;\n  int f;\n  initial f = $fopen(@MARKER_STRING@, "w");\nendmodule\n',
        "writes",
        "$fopen",
        3,
    ),
    Attack(
        "$writememh",
        f"module t;\n  {_SHOW}\n  initial $writememh(@MARKER_STRING@, m);\nendmodule\n",
        "writes",
        "$writememh",
        3,
    ),
]

REACHES = [
    Attack(
        "bind",
        "module t;\n  victim v ();\nendmodule\n"
        'module payload;\n  initial $display("reached");\nendmodule\n'
        "bind victim payload p ();\n",
        "reaches",
        "bind",
        7,
        {"victim.sv": _VICTIM},
    ),
    Attack(
        "force",
        "module t;\n  victim v ();\n  initial force v.mine = 1;\n"
        '  always_comb if (v.mine) $display("reached");\nendmodule\n',
        "reaches",
        "force",
        3,
        {"victim.sv": _VICTIM},
    ),
    Attack(
        "$root",
        "module t;\n  reg mine = 1;\n  evil e ();\nendmodule\nmodule evil;\n"
        '  always_comb if ($root.t.mine) $display("reached");\nendmodule\n',
        "reaches",
        "$root",
        6,
    ),
]

ATTACKS = [*PROGRAMS, *HIDDEN, *FILES, *REACHES]
