"""Steps look at every text of a record, those in named columns too, and at no label."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstmlm.corpus.dedup.keys import block_keys
from lstmlm.corpus.ingest import ingest
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.further import replaced
from lstmlm.corpus.steps.language import KeepLanguages
from lstmlm.corpus.steps.quality.step import LOST_SPAN, Quality
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.columns import Span
from lstmlm.records.record import Record
from lstmlm.records.shards import records_in
from lstmlm.task import Task
from lstmlm.tasks.generate import Generate

ENGLISH = "The weather was fine when we left the house in the morning"
FRENCH = "Le temps était beau quand nous avons quitté la maison ce matin"


class Answering(Generate):
    """A context as the source, a question and a label next to it."""

    def columns(self, recipe: Recipe) -> list[str]:
        return ["context", "question", "label"]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        columns = {"question": row["question"], "label": row["label"]}
        return Record(record_id, row["context"], columns=columns)

    def vocabulary_texts(self, record: Record) -> Iterable[str]:
        yield record.source
        yield str(record.columns["question"])


def further(record: Record) -> list[str]:
    return [str(record.columns["question"])] if record.columns else []


def block(*records: Record) -> Block:
    return Block(0, 0, len(records), list(records))


def asked(name: str, context: str, question: str, **more: Any) -> Record:
    return Record(name, context, columns={"question": question, **more})


def test_a_label_is_no_further_text_and_a_plain_record_has_none() -> None:
    task: Task = Answering()
    assert task.further_texts(asked("1", ENGLISH, "Who?", label="deutsch")) == ["Who?"]
    assert task.further_texts(Record("1", ENGLISH, ("b",))) == ()


def test_the_language_of_a_question_counts_as_that_of_a_source() -> None:
    step = KeepLanguages(["en"], (), further)
    after = step(block(asked("1", ENGLISH, ENGLISH), asked("2", ENGLISH, FRENCH), asked("3", FRENCH, ENGLISH)))
    assert [record.id for record in after.records] == ["1"]
    assert after.dropped == {"language": 2}
    assert after.tallies["language"] == {"en": 4, "fr": 2}


def test_the_rules_for_sources_are_applied_to_each_text() -> None:
    good = ENGLISH + ".\n" + ENGLISH + " again.\n" + ENGLISH + " once more."
    long = good + "\nno end\n" + ENGLISH + "."
    start = long.index("once")
    records = [
        asked("clean", good, good),
        asked("short", good, "one."),
        asked("cut", good, long, answer=Span(start, start + 9, "question")),
        asked("lost", good, long, answer=Span(long.index("no end"), long.index("no end") + 6, "question")),
        asked("moved", long, good, answer=Span(long.rindex(ENGLISH), len(long))),
    ]
    after = Quality(["c4"], further)(block(*records))
    assert [record.id for record in after.records] == ["clean", "cut", "moved"]
    assert sorted(after.dropped) == ["c4_few_sentences", LOST_SPAN]
    assert after.tallies["c4_lines"].total() == 4  # `one.` too
    for record, text in zip(
        after.records[1:], (after.records[1].columns["question"], after.records[2].source), strict=True
    ):
        span = record.columns["answer"]
        assert isinstance(span, Span)
        assert str(text)[span.start : span.end] in ("once more", ENGLISH + ".")


def test_records_with_other_questions_are_no_near_duplicates() -> None:
    near = Duplicates(near=0.9)
    records = [asked("1", ENGLISH, FRENCH), asked("2", ENGLISH, FRENCH), asked("3", ENGLISH, ENGLISH[::-1])]
    plain, whole = block_keys(records, near, 1), block_keys(records, near, 1, further)
    assert np.array_equal(plain.sketches[0], plain.sketches[2])
    assert np.array_equal(whole.sketches[0], whole.sketches[1])
    assert not np.array_equal(whole.sketches[0], whole.sketches[2])


def test_a_task_with_a_question_is_ingested_with_it(tmp_path: Path) -> None:
    rows = [
        {"context": f"{ENGLISH} number {n}", "question": ENGLISH if n % 2 else FRENCH, "label": "x"} for n in range(20)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    corpus = f"corpus: {{root: {tmp_path}, train: a.jsonl, valid_fraction: 0.2, languages: [en]}}"
    manifest = ingest(
        parse_recipe(f"name: r\ntask: {__name__}:Answering\n{corpus}\n", "r.yaml"), tmp_path / "out", Silent()
    )
    assert manifest.facts["counts"]["dropped"] == {"language": 10}
    kept = [record for split in ("train", "valid") for record in records_in(tmp_path / "out", split)]
    assert {record.columns["question"] for record in kept} == {ENGLISH}


def test_replaced_texts_of_a_record_without_columns() -> None:
    assert replaced(Record("1", "a", ("b",)), {"a": "c"}) == Record("1", "c", ("b",))
