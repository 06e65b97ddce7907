"""Decontamination against sets of word runs in plain Python."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.decontaminate import Decontaminate, write_index
from lstmlm.records.record import Record

TEXT = st.lists(st.sampled_from(["a", "b", "c"]), max_size=10).map(" ".join)
EVALUATION = "It was the best of times, it was the worst of times; it was the age of wisdom"


def runs(text: str, n: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[start : start + n]) for start in range(len(words) - n + 1)}


def meets(record: Record, evaluation: str, n: int) -> bool:
    if any(runs(text, n) & runs(evaluation, n) for text in (record.source, *record.targets)):
        return True
    return record.source.split() == evaluation.split() != [] and len(evaluation.split()) < n


def decontaminate(folder: Path, texts: list[tuple[str, str]], n: int) -> Decontaminate:
    write_index(folder / "index", texts, n)
    step = pickle.loads(pickle.dumps(Decontaminate(folder / "index", n)))
    step.setup()
    return step


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=3), st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=2)), max_size=8), st.integers(1, 6))
def test_drops_what_shares_a_run(
    tmp_path_factory: pytest.TempPathFactory, evaluation: list[str], rows: list[tuple[str, list[str]]], n: int
) -> None:
    step = decontaminate(tmp_path_factory.mktemp("e"), [(str(k), text) for k, text in enumerate(evaluation)], n)
    records = [Record(str(number), source, tuple(targets)) for number, (source, targets) in enumerate(rows)]
    for record, name in zip(records, step.meets(records), strict=True):
        met = [k for k, text in enumerate(evaluation) if meets(record, text, n)]
        assert (name is None) == (not met)
        assert name is None or int(name) in met


def test_says_which_record_met_which_text(tmp_path: Path) -> None:
    step = decontaminate(tmp_path, [("eval.txt:1", "something else entirely"), ("eval.txt:2", EVALUATION)], 13)
    records = [
        Record("a", "As they say: IT WAS THE BEST OF TIMES it was the worst of times, it was..."),
        Record("b", "It was the best of times, it was the worst"),
        Record("c", "novel", ("he wrote it was the best of times it was the worst of times it was grand",)),
        Record("d", "Something else entirely."),
        Record("e", "Something else entirely, and more"),
        Record("f", "What was it?", ("something else entirely",)),
    ]
    block = step(Block(file=0, index=0, lines=6, records=records))
    assert [record.id for record in block.records] == ["b", "e", "f"]
    assert [(gone.record.id, gone.reason, gone.detail) for gone in block.excluded] == [
        ("a", "contaminated", "eval.txt:2"),
        ("c", "contaminated", "eval.txt:2"),
        ("d", "contaminated", "eval.txt:1"),
    ]
    assert block.dropped == {"contaminated": 3}
    assert block.tallies == {"contaminated_by": {"eval.txt:2": 2, "eval.txt:1": 1}}


def test_many_texts_keep_their_names(tmp_path: Path) -> None:
    # More than are hashed at a time; every second one occurs twice, and its first name is reported.
    texts = [(f"e:{number}", f"text {number // 2} of the evaluation files") for number in range(5000)]
    step = decontaminate(tmp_path, texts, 3)
    records = [Record(str(number), f"this is text {number} of many") for number in range(2600)]
    expected = [f"e:{2 * number}" if number < 2500 else None for number in range(2600)]
    assert step.meets(records) == expected
    assert step.reasons(records) == ["contaminated" if name else None for name in expected]


def test_nothing_to_evaluate_drops_nothing(tmp_path: Path) -> None:
    assert write_index(tmp_path / "none", [], 13) == 0
    block = Block(file=0, index=0, lines=1, records=[Record("a", EVALUATION)])
    assert decontaminate(tmp_path, [], 13)(block) == block
