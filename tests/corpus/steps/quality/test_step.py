"""The quality step on blocks."""

from __future__ import annotations

import pickle

import pytest

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.quality.step import Quality
from lstmlm.records.record import Record

GOOD = "The cat and the dog of the house sat down together. " * 2
LONG = " ".join(
    f"The {word} of the house sat down with number {word}."
    for word in ["cat", "dog", "cow", "hen", "pig", "fox", "owl"]
)


def block(*texts: str, targets: tuple[str, ...] = ()) -> Block:
    records = [Record(f"a:{line}", text, targets) for line, text in enumerate(texts)]
    return Block(file=0, index=0, lines=len(records), records=records)


def reasons(after: Block) -> dict[str, str]:
    return {excluded.record.id: excluded.reason for excluded in after.excluded}


def test_every_record_is_kept_or_dropped_with_a_reason() -> None:
    after = Quality(("gopher", "pairs"))(block(LONG, "short", LONG, targets=(LONG + " oui",)))
    assert [record.id for record in after.records] == ["a:0", "a:2"]
    assert dict(after.dropped) == {"gopher_short_document": 1}
    assert after.lines == len(after.records) + after.dropped.total()


@pytest.mark.parametrize(
    ("rule_sets", "expected"),
    [
        (("gopher", "fineweb"), "gopher_short_document"),
        (("fineweb", "gopher"), "fineweb_short_lines"),
        (("pairs",), "pairs_empty_side"),
        (("c4",), "c4_few_sentences"),
        (("gopher_repetition",), "gopher_duplicate_lines"),
    ],
)
def test_the_first_rule_set_that_objects_gives_the_reason(rule_sets: tuple[str, ...], expected: str) -> None:
    assert reasons(Quality(rule_sets)(block("a short line.\na short line.\n"))) == {"a:0": expected}


def test_c4_removes_lines_and_what_follows_sees_the_rest() -> None:
    before = block("Menu\n" + LONG + "\n- Home -", LONG)
    after = Quality(("c4", "gopher"))(before)
    assert [record.source for record in after.records] == [LONG, LONG]
    assert dict(after.tallies["c4_lines"]) == {"c4_line_without_end_mark": 2}
    assert before.records[0].source.startswith("Menu")


def test_a_step_without_rule_sets_or_records_changes_nothing() -> None:
    assert Quality(())(block("x")).records == block("x").records
    assert Quality(("gopher", "c4", "fineweb", "pairs", "gopher_repetition"))(block()).records == []


def test_the_step_travels_to_workers() -> None:
    step = pickle.loads(pickle.dumps(Quality(("gopher",))))
    step.setup()
    assert reasons(step(block(GOOD))) == {"a:0": "gopher_short_document"}
