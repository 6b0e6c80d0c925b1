"""SystemVerilog as tokens: what stands where, whatever stands around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check import check_sources
from brainsmith.toolchains.hdl_check.tokens import Token, tokens

# Pieces with what they are; any of them may follow any other behind white space.
_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")))
_line = _text.map(lambda text: f"//{text}\n")
_block = _text.filter(lambda text: "*/" not in text and text[-1:] != "*").map("/*{}*/".format)
_string = _text.map(lambda text: re.sub(r'["\\]|\*\)|DPI|endtable', " ", text)).map('"{}"'.format)
_escaped = st.from_regex(r"\\(?!\$)[a-zA-Z0-9_$.\[\]:<>#@+-]+", fullmatch=True)
_word = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)
_system = st.from_regex(r"\$[a-z][a-z0-9]*", fullmatch=True)
_directive = st.from_regex(r"`[A-Z][A-Z0-9_]*", fullmatch=True)
_mark = st.sampled_from("()[]{}.,;:?=<>+-*%&|^~!@#'")
_space = st.sampled_from([" ", "\t", "\n", "\r\n", "  \n "])

_pieces = st.one_of(
    st.tuples(st.just("comment"), _line | _block),
    st.tuples(st.just("string"), _string),
    st.tuples(st.just("escaped"), _escaped),
    st.tuples(st.just("word"), _word),
    st.tuples(st.just("system"), _system),
    st.tuples(st.just("directive"), _directive),
    st.tuples(st.just("mark"), _mark),
)


@given(st.lists(st.tuples(_pieces, _space)))
def test_each_piece_is_one_token_of_its_kind_at_its_place(
    parts: list[tuple[tuple[str, str], str]],
) -> None:
    text, expected = "", []
    for (kind, piece), space in parts:
        if kind == "mark" and piece == "'":
            space = "\n"  # it would be the base of a number with the letter behind it
        shown = piece.removesuffix("\n") if piece.startswith("//") else piece
        expected.append(Token(kind, shown, text.count("\n") + 1, len(text), 0))
        text += piece + space
    assert tokens(Source("t.sv", text)) == expected


@given(
    st.lists(st.one_of(_line, _block), max_size=5), st.sampled_from(["$system", "`line", "bind"])
)
def test_comments_neither_hide_nor_invent_a_name(comments: list[str], name: str) -> None:
    within = "".join(f" {comment} " for comment in comments if "verilator" not in comment)
    clean = Source("t.sv", f"module t; {within} // {name}\n /* {name} */ endmodule")
    check_sources([clean])
    hidden = Source("t.sv", f"module t; {within} {name} {within} endmodule")
    with pytest.raises(PluginSecurityError) as caught:
        check_sources([hidden])
    assert name in caught.value.what
    assert caught.value.where == f"t.sv:{within.count(chr(10)) + 1}"


@given(st.lists(st.one_of(_string, _escaped), max_size=5), st.sampled_from(["$system", "force"]))
def test_strings_and_escaped_names_neither_hide_nor_invent_a_name(
    pieces: list[str], name: str
) -> None:
    within = " ".join(piece for piece in pieces if "techmap" not in piece.lower())
    check_sources([Source("t.sv", f'module t; {within} "{name}" \\x{name} ; endmodule')])
    with pytest.raises(PluginSecurityError, match=re.escape(name)):
        check_sources([Source("t.sv", f"module t; {within} {name} {within} ; endmodule")])


@given(st.text("`$\"\\/*()ab1'\n \t#.", max_size=40))
def test_tokens_and_white_space_make_up_the_text_or_it_is_refused(text: str) -> None:
    try:
        found = tokens(Source("t.sv", text))
    except PluginSecurityError as error:
        assert re.fullmatch(r"t\.sv:\d+", error.where or "") and error.hint
        return
    place = 0
    for token in found:
        assert re.fullmatch(r"[ \t\n\\]*", text[place : token.start])
        assert text[token.start : token.end] == token.text
        assert token.line == text.count("\n", 0, token.start) + 1
        place = token.end
    assert re.fullmatch(r"[ \t\n\\]*", text[place:])


def test_a_macro_s_body_goes_on_behind_a_backslash_at_the_line_s_end() -> None:
    text = "a\n`define B c \\\n  d // e\nf `define G h"
    found = {token.text: (token.line, token.define) for token in tokens(Source("t.sv", text))}
    assert found["a"] == (1, 0) and found["c"] == (2, 1) and found["d"] == (3, 1)
    assert found["f"] == (4, 0) and found["h"] == (4, 2)


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("8'hFf", ["8", "'hFf"]),
        ("8 'h ff? : b", ["8", "'h ff?", ":", "b"]),
        ("12'sd3", ["12", "'sd3"]),
        ("'1 '{a}", ["'1", "'", "{", "a", "}"]),
        ("int'(x)", ["int", "'", "(", "x", ")"]),
        ("1.5e-3 10ns", ["1.5e-3", "10ns"]),
        ("`W'd0", ["`W", "'d0"]),
        ("16'd`W", ["16", "'d", "`W"]),
        ("a``_b``c", ["a", "``", "_b", "``", "c"]),
    ],
)
def test_numbers_end_where_every_tool_ends_them(text: str, texts: list[str]) -> None:
    assert [token.text for token in tokens(Source("t.sv", text))] == texts
