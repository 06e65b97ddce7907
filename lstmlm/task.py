"""What a task is: its records, examples, model, metrics and outputs. One module of `lstmlm.tasks` each.

Nothing else knows the list of tasks: `load_task` imports the module that the recipe names.
"""

from __future__ import annotations

import abc
import collections
import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lstmlm.errors import UserError
from lstmlm.records.record import Record

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import SequenceModel
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.recipe.sections.corpus import Corpus
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.tokenizer.rows import TokenRows


Better = Literal["higher", "lower"]
"""Which value of a metric is better."""


class BadRecord(Exception):
    """A line that cannot become a record; the message is the reason its dead letter carries."""


class BlankRecord(BadRecord):
    """A line without text where a record has some: nothing is wrong with it, and it is dropped."""


class Task(abc.ABC):
    """One kind of work. Stateless: everything it needs comes as an argument."""

    has_targets: bool
    """Whether a record must have a target to be learnt from."""

    output_metrics: ClassVar[Mapping[str, Better]] = {}
    """Metrics of `compare` that training can go by, for a task whose batches hold `source` and `target`."""

    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Metric -> those of models that learn nothing or little, which it should be better than."""

    @abc.abstractmethod
    def measured(self, recipe: Recipe) -> Sequence[str]:
        """Returns the numbers that `judge` measures, so that a threshold on another one is refused before the run."""

    def record(self, row: Mapping[str, Any], record_id: str, corpus: Corpus) -> Record:
        """Makes a record of one parsed line.

        Args:
            row: Column or key -> value. A .txt line is `{corpus.source: line}`.
            record_id: The id to use.
            corpus: Names the columns.

        Raises:
            BlankRecord: The source or the target is null or white space.
            BadRecord: A column is not there, or not text.
        """
        source = _text(row, corpus.source)
        if not self.has_targets:
            return Record(record_id, source)
        if corpus.target is None:
            raise BadRecord("the recipe names no corpus.target column")
        value = row.get(corpus.target)
        texts = value if isinstance(value, list) else [_text(row, corpus.target)]
        if all(_is_blank(text) for text in texts):
            raise BlankRecord(f"column {corpus.target!r} is empty")
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise BadRecord(f"column {corpus.target!r} is empty")
        return Record(record_id, source, tuple(texts))

    def vocabulary_texts(self, record: Record) -> Iterable[str]:
        """Yields the texts the vocabulary is trained on."""
        yield record.source
        yield from record.targets

    @abc.abstractmethod
    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, TokenRows]]:
        """Turns the records of a shard into examples: feature name -> token ids, a row an example.

        Args:
            blocks: Consecutive records, in corpus order, taken as examples are asked for.
            tokenizer: The vocabulary.
            recipe: The run.
            counts: Gets `examples`, `tokens` and what was cut (`truncated_source`, ...) added to.

        Yields:
            Consecutive examples, about those of a block.
        """

    @abc.abstractmethod
    def batches(self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0) -> tf.data.Dataset:
        """Returns global batches (feature -> int32 [batch, time], padded with 0).

        The order is a pure function of the files, recipe.seed and the epoch; `epoch=None` means evaluation:
        file order, nothing shuffled. `first` batches are left out at the beginning.
        """

    @abc.abstractmethod
    def build(self, recipe: Recipe, vocabulary: int) -> SequenceModel:
        """Returns the untrained model; its initial weights are a pure function of recipe.seed."""

    @abc.abstractmethod
    def judge(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """Measures a published model on held-out records.

        Args:
            export: The export folder (see `lstmlm.export`).
            records: The valid split.
            training: Folder with the train split's record shards, for baselines that need it.
            recipe: The run.

        Returns:
            Metric name -> number, or text for what is not a number (a metric's signature).
        """

    def compare(self, outputs: Sequence[str], references: Sequence[Sequence[str]]) -> Mapping[str, Any]:
        """Measures outputs that were decoded during training.

        Args:
            outputs: One text a source.
            references: For each output, its accepted texts.

        Returns:
            Each of `output_metrics`, as `judge` computes it, and perhaps others.
        """
        return {}

    def output(self, record_id: str | int | float, source: str, text: str) -> dict[str, Any]:
        """Returns one output line of the batch job."""
        return {"id": record_id, "source": source, "output": text}


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        known = ", ".join(map(repr, row))
        raise BadRecord(f"no column {column!r} (there are {known})")
    value = row[column]
    if _is_blank(value):
        raise BlankRecord(f"column {column!r} is empty")
    if not isinstance(value, str):
        raise BadRecord(f"column {column!r} is not text")
    return value


def _is_blank(value: Any) -> bool:
    """Says whether a value is no text: null, white space, or the number that tables write for null."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def task_names() -> list[str]:
    """Returns the names of the modules in `lstmlm.tasks`, without importing them."""
    import lstmlm.tasks

    return sorted(module.name for module in pkgutil.iter_modules(lstmlm.tasks.__path__))


def load_task(name: str) -> Task:
    """Imports `lstmlm.tasks.<name>` and returns its `TASK`.

    Raises:
        UserError: There is no such task.
    """
    known = task_names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(known)}"
        raise UserError(f"no task named {name!r}", where="task", hint=hint)
    task = importlib.import_module(f"lstmlm.tasks.{name}").TASK
    assert isinstance(task, Task)
    return task
