"""From records to examples of the reader: a window of a passage, the question, and the right spans of tokens."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.passages import Numbers, Tokens, tokens_of, windows
from lstmlm.records.columns import Span
from lstmlm.records.record import Record
from lstmlm.task import Feature
from lstmlm.tokenizer import Tokenizer

if TYPE_CHECKING:
    from lstmlm.task.values import Values

FEATURES: Mapping[str, Feature] = {
    "passage": Feature("tokens"),
    "passage_form": Feature("int"),
    "passage_stem": Feature("int"),
    "passage_shape": Feature("int"),
    "question": Feature("tokens"),
    "question_form": Feature("int"),
    "question_stem": Feature("int"),
    "starts": Feature("int"),
    "ends": Feature("int"),
}
"""Of an example; see `lstmlm.models.reader.reader.Reader.loss`."""


class Encoder:
    """Makes the examples of records.

    Args:
        tokenizer: The vocabulary.
        longest: Tokens of a window of a passage at most.
        stride: Tokens from one window to the next.
        question: Tokens of a question at most; the rest is cut.
        answer: Tokens of an answer at most; a longer one cannot be learnt.
    """

    def __init__(self, tokenizer: Tokenizer, longest: int, stride: int, question: int, answer: int) -> None:
        self._tokenizer, self._lexicon = tokenizer, Lexicon(tokenizer)
        self._longest, self._stride, self._question, self._answer = longest, stride, question, answer

    def examples(self, block: Sequence[Record], counts: collections.Counter[str]) -> dict[str, Values]:
        """Returns the examples of records: feature -> a row an example.

        A window without a right answer is an example of no answer. A record whose answers are all too long to be found
        makes no example.

        Args:
            block: The records.
            counts: Gets `examples` and `tokens` added, and `truncated_question`, `answers_too_long`,
                `records_without_example` and `windows_without_answer` where there are such.
        """
        rows = [row for record in block for row in self._rows(record, counts)]
        counts["examples"] += len(rows)
        counts["tokens"] += sum(len(row["passage"]) + len(row["question"]) for row in rows)
        return {name: [row[name] for row in rows] for name in FEATURES}

    def _rows(self, record: Record, counts: collections.Counter[str]) -> Iterator[dict[str, Numbers]]:
        passage = tokens_of(record.source, self._tokenizer)
        question = np.array(self._tokenizer.encode(str(record.columns["question"])), np.int32)
        counts["truncated_question"] += len(question) > self._question
        question = question[: self._question]
        asked = {"question": question} | self._lexicon.named_classes("question", question)
        right = list(self._right(record, passage, counts))
        if record.targets and not right:
            counts["records_without_example"] += 1
            return
        for first, behind in windows(len(passage.ids), self._longest, self._stride):
            inside = [(start - first, end - first) for start, end in right if start >= first and end < behind]
            counts["windows_without_answer"] += bool(record.targets) and not inside
            window = passage.part(first, behind)
            yield {
                "passage": window.ids,
                **self._lexicon.named_classes("passage", window.ids),
                "passage_shape": window.shapes(self._lexicon),
                **asked,
                "starts": np.array([start for start, _ in inside], np.int32),
                "ends": np.array([end for _, end in inside], np.int32),
            }

    def _right(self, record: Record, passage: Tokens, counts: collections.Counter[str]) -> Iterator[tuple[int, int]]:
        """Yields the first and last token of each answer that is short enough."""
        for span in (value for value in record.columns.values() if isinstance(value, Span)):
            tokens = passage.covering(span)
            if tokens is None or tokens[1] - tokens[0] >= self._answer:
                counts["answers_too_long"] += 1
            else:
                yield tokens


def encoded(
    blocks: Iterable[Sequence[Record]], encoder: Encoder, counts: collections.Counter[str]
) -> Iterator[Mapping[str, Values]]:
    """Yields the examples of each block; see `lstmlm.task.Task.encode`."""
    for block in blocks:
        yield encoder.examples(block, counts)
