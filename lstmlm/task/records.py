"""The part of a task that makes records of the rows of a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lstmlm.records.record import Record
from lstmlm.task.columns import is_blank, text_of
from lstmlm.task.values import BadRecord, BlankRecord

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


class RecordSide:
    """From the rows of a corpus to records, and to the texts and labels that a vocabulary is made of."""

    has_targets: bool = False
    """Whether a record must have a target to be learnt from."""

    vocabulary: ClassVar[Literal["pieces", "none"]] = "pieces"
    """Whether the tokenizer stage makes a vocabulary of `vocabulary_texts`. Labels are kept in any case."""

    block_rows: ClassVar[int] = 1000
    """Rows of the corpus that are held in memory at once at most; fewer where records are large."""

    def corpus_stamp(self, recipe: Recipe) -> Sequence[str]:
        """Returns what identifies the files that rows of the corpus name, where a record holds their content."""
        return ()

    def columns(self, recipe: Recipe) -> Sequence[str]:
        """Returns the columns of the corpus that a record is made of."""
        corpus = recipe.corpus
        return [corpus.source, *([corpus.target] if self.has_targets and corpus.target is not None else [])]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        """Makes a record of one parsed line.

        Args:
            row: Column or key -> value. A .txt line is `{corpus.source: line}`.
            record_id: The id to use.
            recipe: Names the columns.

        Raises:
            BlankRecord: The source or the target is null or white space.
            BadRecord: A column is not there, or not text.
        """
        corpus = recipe.corpus
        source = text_of(row, corpus.source)
        if not self.has_targets:
            return Record(record_id, source)
        if corpus.target is None:
            raise BadRecord("the recipe names no corpus.target column")
        value = row.get(corpus.target)
        texts = value if isinstance(value, list) else [text_of(row, corpus.target)]
        if all(is_blank(text) for text in texts):
            raise BlankRecord(f"column {corpus.target!r} is empty")
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise BadRecord(f"column {corpus.target!r} is empty")
        return Record(record_id, source, tuple(texts))

    def vocabulary_texts(self, record: Record) -> Iterable[str]:
        """Yields the texts the vocabulary is trained on."""
        yield record.source
        yield from record.targets

    def further_texts(self, record: Record) -> Sequence[str]:
        """Returns the texts next to source and targets that steps of the corpus look at: those a vocabulary is of.

        A label is none of them.
        """
        if not record.columns:
            return ()
        own = (record.source, *record.targets)
        return [text for text in self.vocabulary_texts(record) if text not in own]

    def labels(self, record: Record) -> Iterable[str]:
        """Yields the labels of a record. Those of the train split are kept with the vocabulary: `Tokenizer.labels`."""
        return ()

    def check_labels(self, labels: Sequence[str], recipe: Recipe) -> None:
        """Refuses labels of the train split that nothing can be learnt from.

        Raises:
            UserError: It names the field at fault.
        """
