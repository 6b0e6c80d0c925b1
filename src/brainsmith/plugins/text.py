"""Text search over components: SQLite's FTS5 where it is compiled in, a table of words else.

Words are made here, the same way for both, so that `attention` finds `FlashAttention`, and for
what is filtered by (`facets`), which is a word of its own kind.
"""

from __future__ import annotations

import math
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.plugins.index import Index

# How much a word counts in each field. A name says more than a description does.
WEIGHTS = {
    "name": 10.0,
    "operation": 5.0,
    "tags": 4.0,
    "plugin": 3.0,
    "description": 2.0,
    "author": 1.0,
}
ANY = "*"
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WORDS = re.compile(r"[^\W_]+")
_FTS = f"""
CREATE VIRTUAL TABLE text USING fts5({", ".join(WEIGHTS)}, content = '', tokenize = 'ascii');
CREATE VIRTUAL TABLE facet USING fts5(
    words, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
);
"""
_TABLES = """
CREATE TABLE text (word TEXT, component INTEGER, weight REAL, PRIMARY KEY (word, component))
    WITHOUT ROWID;
CREATE TABLE facet (word TEXT, component INTEGER, PRIMARY KEY (word, component)) WITHOUT ROWID;
"""
Document = tuple[int, Mapping[str, Any], Mapping[str, Any]]


def words(text: str) -> list[str]:
    """The words of a text as they are searched: of `OptimizeMaxPool` also its parts, and what
    begins with each, `maxpool`."""
    found: list[str] = []
    for word in _WORDS.findall(_plain(text)):
        parts = _PARTS.findall(word)
        found += (word, *parts, *("".join(parts[i:]) for i in range(1, len(parts))))
    return list(dict.fromkeys(map(_token, found)))


def terms(query: str) -> list[tuple[str, ...]]:
    """The words of a query, each with its parts if it has some: either may be found."""
    found = []
    for word in _WORDS.findall(_plain(query)):
        parts = [_token(part) for part in _PARTS.findall(word)]
        found.append((_token(word), *(parts if len(parts) > 1 else ())))
    return found


def _token(word: str) -> str:
    """A word as it is compared. SQLite knows fewer letters than Python, so others are spelled in
    hexadecimal, in which the beginning of a word is still its beginning."""
    folded = word.casefold()
    return folded if folded.isascii() else f"u{folded.encode(errors='replace').hex()}"


def _plain(text: str) -> str:
    """A text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def facet(key: str, value: str) -> str:
    """The word that stands for `key = value`: letters and digits only, whatever the value."""
    return f"f{key}x{value.casefold().encode().hex()}"


def facets_of(plugin: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[str]:
    """The facets of a component. What it does not restrict itself to is `ANY`."""
    yield facet("kind", part["kind"])
    for key in ("author", "license"):
        yield facet(key, part.get(key) or plugin.get(key, ""))
    operation = part["name"] if part["kind"] == "operations" else part.get("operation")
    if operation:
        yield facet("operation", operation)
    for tag in (*plugin.get("tags", ()), *part.get("tags", ())):
        yield facet("tag", tag)
    for name in part.get("backends", ()):
        yield facet("backend", name)
    for name in part.get("datatypes", ()) or (ANY,):
        yield facet("datatype", name)
    for name in part.get("devices", ()) or plugin.get("devices", ()) or (ANY,):
        yield facet("target", name)


def fill_text(database: sqlite3.Connection, documents: Iterable[Document]) -> str:
    """Makes the tables of the search; returns which kind they are: "fts5" or "words"."""
    if _has_fts5(database):
        database.executescript(_FTS)
        facets: list[tuple[int, str]] = []
        fields = ", ".join(("rowid", *WEIGHTS))
        insert = f"INSERT INTO text ({fields}) VALUES (?{', ?' * len(WEIGHTS)})"
        database.executemany(insert, _fts_rows(documents, facets))
        database.executemany("INSERT INTO facet (rowid, words) VALUES (?, ?)", facets)
        return "fts5"
    database.executescript(_TABLES)
    for number, plugin, part in documents:
        weights: dict[str, float] = {}
        for field, text in _fields(plugin, part).items():
            for word in words(text):
                weights[word] = weights.get(word, 0.0) + WEIGHTS[field]
        rows = ((word, number, weight) for word, weight in weights.items())
        database.executemany("INSERT INTO text VALUES (?, ?, ?)", rows)
        pairs = ((word, number) for word in set(facets_of(plugin, part)))
        database.executemany("INSERT INTO facet VALUES (?, ?)", pairs)
    return "words"


def hits(index: Index, query: str, facets: Sequence[Sequence[str]]) -> list[tuple[int, float]]:
    """The components that a search finds, with their scores, the best first.

    Args:
        query: words; all must be there, each may be the beginning of one. "" for all components.
        facets: of each of these sequences one word must be among the facets.
    """
    wanted = terms(query)
    if query.strip() and not wanted:
        return []  # nothing but punctuation
    if not wanted and not facets:
        rows = index.rows("SELECT id FROM component WHERE status = 'default' ORDER BY id")
        return [(number, 0.0) for (number,) in rows]
    if index.meta()["text"] == "fts5":
        return _hits_fts(index, wanted, facets)
    return _hits_words(index, wanted, facets)


def _hits_fts(
    index: Index, wanted: Sequence[tuple[str, ...]], facets: Sequence[Sequence[str]]
) -> list[tuple[int, float]]:
    narrow = " AND ".join(f"({' OR '.join(choices)})" for choices in facets)
    if not wanted:
        rows = index.rows("SELECT rowid FROM facet WHERE facet MATCH ? ORDER BY rowid", narrow)
        return [(number, 0.0) for (number,) in rows]
    match = " AND ".join(f"({_fts_term(*term)})" for term in wanted)
    score = f"bm25(text, {', '.join(map(str, WEIGHTS.values()))})"
    # The + keeps SQLite from looking up the words anew for each row of the other table.
    within = "AND +rowid IN (SELECT rowid FROM facet WHERE facet MATCH ?)" if facets else ""
    sql = f"SELECT rowid, {score} AS score FROM text WHERE text MATCH ? {within}"
    values = (match, narrow) if facets else (match,)
    rows = index.rows(f"{sql} ORDER BY score, rowid", *values)
    return [(number, -score) for number, score in rows]


def _fts_term(word: str, *parts: str) -> str:
    alternative = " AND ".join(f'"{part}" *' for part in parts)
    return f'"{word}" * OR ({alternative})' if parts else f'"{word}" *'


def _hits_words(
    index: Index, wanted: Sequence[tuple[str, ...]], facets: Sequence[Sequence[str]]
) -> list[tuple[int, float]]:
    kept: set[int] | None = None
    for choices in facets:
        places = ", ".join("?" * len(choices))
        sql = f"SELECT component FROM facet WHERE word IN ({places})"
        found = {number for (number,) in index.rows(sql, *choices)}
        kept = found if kept is None else kept & found
    if not wanted:
        return [(number, 0.0) for number in sorted(kept or ())]
    scores: dict[int, float] | None = None
    for word, *parts in wanted:
        of_term = _scores(index, [word])
        if parts:
            of_term = {**_scores(index, parts), **of_term}
        scores = of_term if scores is None else _sum_of_common(scores, of_term)
    pairs = ((n, s) for n, s in (scores or {}).items() if kept is None or n in kept)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _scores(index: Index, beginnings: Sequence[str]) -> dict[int, float]:
    """The components that have a word with each of these beginnings; a rare word counts more."""
    ((total,),) = index.rows("SELECT count(*) FROM component WHERE status = 'default'")
    scores: dict[int, float] | None = None
    for beginning in beginnings:
        sql = "SELECT component, sum(weight) FROM text WHERE word >= ? AND word < ? GROUP BY 1"
        rows = index.rows(sql, beginning, beginning + "\U0010ffff")
        rarity = math.log((total + 1) / (len(rows) + 0.5)) + 1e-6
        found = {number: weight * rarity for number, weight in rows}
        scores = found if scores is None else _sum_of_common(scores, found)
    return scores or {}


def _sum_of_common(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    return {number: one[number] + score for number, score in other.items() if number in one}


def _fts_rows(
    documents: Iterable[Document], facets: list[tuple[int, str]]
) -> Iterator[tuple[object, ...]]:
    for number, plugin, part in documents:
        facets.append((number, " ".join(facets_of(plugin, part))))
        yield (number, *(" ".join(words(text)) for text in _fields(plugin, part).values()))


def _fields(plugin: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, str]:
    """The text of each of the fields of `WEIGHTS`."""
    return {
        "name": part["name"],
        "operation": part.get("operation") or "",
        "tags": " ".join((*part.get("tags", ()), *plugin.get("tags", ()))),
        "plugin": plugin["name"],
        "description": f"{part.get('description', '')} {plugin.get('description', '')}",
        "author": part.get("author") or plugin.get("author", ""),
    }


def _has_fts5(database: sqlite3.Connection) -> bool:
    options = database.execute("PRAGMA compile_options").fetchall()
    return ("ENABLE_FTS5",) in options
