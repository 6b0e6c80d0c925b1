"""The ledger of confined calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.record import MOST_OUTPUT, CallRecord, Ledger, Skipped


def call(name: str = "transform Fold", output: str = "") -> CallRecord:
    return CallRecord("lens", name, Level.L3, 0.25, 0.2, 1 << 20, output)


def test_calls_stay_in_their_order() -> None:
    ledger = Ledger()
    for name in ("first", "second"):
        ledger.add(call(name))
    assert [record.call for record in ledger.records] == ["first", "second"]


def test_a_list_that_was_taken_does_not_grow() -> None:
    ledger = Ledger()
    before = ledger.records
    ledger.add(call())
    ledger.skip(Skipped("lens", "Fold", "it crashed"))
    assert before == () and len(ledger.records) == len(ledger.skipped) == 1


def test_threads_may_share_it() -> None:
    ledger = Ledger()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: ledger.add(call(str(i), "x" * 10)), range(1000)))
    assert {record.call for record in ledger.records} == {str(i) for i in range(1000)}


def test_what_was_printed_is_told_call_by_call() -> None:
    ledger = Ledger()
    ledger.add(call("transform Fold", "one\ntwo\n"))
    ledger.add(call("transform Quiet"))
    ledger.add(call("kernel Lens: rtl", "== not a heading"))
    assert ledger.printed() == (
        "== lens | transform Fold | 0.25 s\n  one\n  two\n"
        "== lens | kernel Lens: rtl | 0.25 s\n  == not a heading\n"
    )


def test_nothing_printed_is_nothing_told() -> None:
    ledger = Ledger()
    ledger.add(call())
    assert ledger.printed() == ""


def test_output_is_kept_up_to_a_bound_and_the_cut_is_told() -> None:
    ledger = Ledger()
    for _ in range(10):
        ledger.add(call(output="x" * (MOST_OUTPUT // 4 + 1)))
    kept = [record.output for record in ledger.records]
    assert sum(output.count("x") for output in kept) == MOST_OUTPUT
    assert [output.endswith("not kept") for output in kept] == [False] * 3 + [True] * 7
    assert len(ledger.records) == 10
