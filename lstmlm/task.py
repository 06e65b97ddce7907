"""The task interface: records, examples, model, metrics and predictions.

Nothing else knows the list of tasks: `load_task` finds the one that the recipe names. A task of text to text starts
from `lstmlm.bases.text`; one whose model predicts in one pass (labels, spans, frames) from `lstmlm.bases.one_pass`.
"""

from __future__ import annotations

import abc
import collections
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from lstmlm import plugins
from lstmlm.errors import UserError
from lstmlm.recipe.sections.section import Section
from lstmlm.recipe.task_options import GROUP, PACKAGE
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import tensorflow as tf

    from lstmlm.models.base import Trainable
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.tokenizer.rows import TokenRows

    Values = TokenRows | npt.NDArray[np.generic] | Sequence[npt.NDArray[np.generic]]
    """The values of a feature, a row an example: token ids; one array [rows, ...]; or an array [time, ...] a row."""


Better = Literal["higher", "lower"]
"""Which value of a metric is better."""


class BadRecord(Exception):
    """A line that cannot become a record or a request; the message is the reason its dead letter carries."""


class BlankRecord(BadRecord):
    """A line without text where a record has some: nothing is wrong with it, and it is dropped."""


@dataclasses.dataclass(frozen=True, slots=True)
class Feature:
    """What a feature of an example holds.

    Attributes:
        kind: `tokens` are ids of the vocabulary, which 0 pads; `int` and `float` are any other numbers.
        shape: Size of each dimension; None, in the first place only: as long as the example is (time).
    """

    kind: Literal["tokens", "int", "float"]
    shape: tuple[int | None, ...] = (None,)

    @property
    def ragged(self) -> bool:
        """Whether examples differ in length."""
        return self.shape[:1] == (None,)


@dataclasses.dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of the batch job's output.

    Attributes:
        kind: What its values are, for readers of the schema.
        always: Whether every output has it.
    """

    kind: Literal["id", "text", "int", "float", "bool", "list", "object"]
    always: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """What a model made of one request.

    Attributes:
        fields: Column of the output -> value, without the id; see `Task.schema`.
        size: What was computed for it: tokens that were decoded, frames, or 1 for a label.
        cut: Part of the input that was too long to be read, in the units of the input.
    """

    fields: Mapping[str, Any]
    size: int = 1
    cut: int = 0


class Predictor(Protocol):
    """A published model: requests in, predictions out. A prediction depends on its request and seed only."""

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Any = None
    ) -> Sequence[Prediction | BadRecord]:
        """Returns one prediction per request, in their order; the seeds are below 2**63.

        In the place of a prediction may be a `BadRecord`, not raised: why this request has none.
        """

    def failures(self) -> tuple[type[Exception], ...]:
        """Returns the exceptions that a single request can cause: it becomes a dead letter; others abort the job."""


class MetricProbe(Protocol):
    """Measures a model during training by what it predicts."""

    def measure(self) -> dict[str, float]:
        """Returns the task's `output_metrics`, the same on every worker. Every worker must call it."""


class Task(abc.ABC):
    """One kind of work. Stateless: everything it needs comes as an argument."""

    Options: ClassVar[type[Section] | None] = None
    """The model of the recipe's `task_options`; None: the task has none."""

    has_targets: bool = False
    """Whether a record must have a target to be learnt from."""

    hub_name: ClassVar[str] = ""
    """What the Hugging Face hub calls this kind of work (`pipeline_tag`); empty: it has no name there."""

    vocabulary: ClassVar[Literal["pieces", "none"]] = "pieces"
    """Whether the tokenizer stage makes a vocabulary of `vocabulary_texts`. Labels are kept in any case."""

    batch_field: ClassVar[Literal["batch", "batch_tokens"]] = "batch_tokens"
    """The field of `training` that sizes a batch: in rows, which workers share out, or in padded tokens."""

    output_metrics: ClassVar[Mapping[str, Better]] = {}
    """Metrics of predictions that training can go by."""

    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Metric -> those of models that learn nothing or little, which it should be better than."""

    block_rows: ClassVar[int] = 1000
    """Rows of the corpus that are held in memory at once at most; fewer where records are large."""

    file_endings: Sequence[str] = ()
    """Endings of files that are requests of the batch job by themselves, such as `.wav`."""

    # From the corpus to records.

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
        if all(_is_blank(text) for text in texts):
            raise BlankRecord(f"column {corpus.target!r} is empty")
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise BadRecord(f"column {corpus.target!r} is empty")
        return Record(record_id, source, tuple(texts))

    # From records to batches.

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

    def check_labels(self, labels: Sequence[str], recipe: Recipe) -> None:  # noqa: B027  (most have nothing to refuse)
        """Refuses labels of the train split that nothing can be learnt from.

        Raises:
            UserError: It names the field at fault.
        """

    @abc.abstractmethod
    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """Returns what an example holds, by name."""

    @abc.abstractmethod
    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, Values]]:
        """Turns the records of a shard into examples: feature name -> values, a row an example.

        Args:
            blocks: Consecutive records, in corpus order, taken as examples are asked for.
            tokenizer: The vocabulary, and the labels.
            recipe: The run.
            counts: Gets `examples`, `tokens` and what was cut (`truncated_source`, ...) or left out added to.

        Yields:
            Consecutive examples, about those of a block.
        """

    @abc.abstractmethod
    def batches(self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0) -> tf.data.Dataset:
        """Returns global batches: feature -> int32 or float32 [batch, ...], padded with 0.

        The order is a pure function of the files, recipe.seed and the epoch; `epoch=None` means evaluation:
        file order, nothing shuffled. `first` batches are left out at the beginning.
        """

    def full_batches(self, facts: Mapping[str, int], recipe: Recipe) -> int:
        """Returns how many batches an epoch has, about: 0 if there is none. `facts`: counts of the train split."""
        return facts["examples"]  # a batch that is not full is filled up

    # The model, and how well it does.

    @abc.abstractmethod
    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Trainable:
        """Returns the untrained model; its initial weights are a pure function of recipe.seed.

        Args:
            recipe: The run.
            vocabulary: Tokens of the vocabulary; 0 without one.
            labels: The labels of the train split, in the order of their numbers.
        """

    @abc.abstractmethod
    def measured(self, recipe: Recipe) -> Sequence[str]:
        """Returns the metrics that `evaluate` measures, so that a threshold on another is refused before the run."""

    @abc.abstractmethod
    def evaluate(
        self, export: Path, records: Sequence[Record], training: Path | None, recipe: Recipe
    ) -> dict[str, Any]:
        """Measures a published model on held-out records.

        Args:
            export: The export folder (see `lstmlm.export`).
            records: The valid split.
            training: Folder with the train split's record shards, for baselines that need it; None: they are left out.
            recipe: The run.

        Returns:
            Metric name -> number, or text for what is not a number (a metric's signature); a mapping is a table, which
            is published next to the metrics.
        """

    def record_sums(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Mapping[str, RecordSums]:
        """Measures a published model record by record, so that two models can be compared by samples of the records.

        Returns:
            Metric -> what it is computed from; only metrics that are computed from sums over records. The records are
            the same for every model, whatever it predicts.

        Raises:
            UserError: The task has no such metrics.
        """
        what = f"models of task {recipe.task} have no metrics by record"
        raise UserError(what, where="task", hint="Use `lstmlm evaluate` for each of them")

    def report(self, measured: Mapping[str, Any], folder: Path, recipe: Recipe) -> None:  # noqa: B027
        """Writes what the evaluation publishes next to `metrics.json`, such as a picture.

        Args:
            measured: What `evaluate` returned.
            folder: The folder to write to.
            recipe: The run.
        """

    def output_metric_probe(
        self, recipe: Recipe, files: Sequence[Path], tokenizer: Path, model: Any, group: Any
    ) -> MetricProbe:
        """Returns what measures `output_metrics` during training.

        Args:
            recipe: The run.
            files: The valid split's examples.
            tokenizer: The tokenizer folder.
            model: The model, used with the weights it has at the time.
            group: The workers, a `lstmlm.training.workers.all_reduce.AllReduce`.
        """
        raise NotImplementedError(f"{type(self).__name__} has output_metrics and does not measure them")

    # From a model to predictions.

    def request_columns(self, recipe: Recipe) -> Sequence[str]:
        """Returns the columns of the batch job's input that a request is made of; the others are passed on."""
        return [recipe.inference.field]

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        """Makes a request of one row of the batch job's input: field -> value.

        The job stores requests in files before it predicts: a value is text, bytes, a finite number, a truth value,
        None, or a list or dict of these. A tuple comes back as a list.

        Raises:
            BadRecord: The message says why it cannot be.
        """
        return {"source": request_text(row, recipe.inference.field, may_be_empty=not self.has_targets)}

    def request_at(self, row: Mapping[str, Any], folder: Path | str, recipe: Recipe) -> dict[str, Any]:
        """As `request`, for a row that may name files.

        Args:
            row: Column or key -> value.
            folder: What the names are relative to: the folder of the job's input, or its URL.
            recipe: The run.

        Raises:
            BadRecord: The message says why it cannot be.
        """
        return self.request(row, recipe)

    def request_of(self, record: Record) -> dict[str, Any]:
        """Returns the request that a record makes, its answer left out; its values are as those of `request`."""
        return {"source": record.source}

    @abc.abstractmethod
    def serving(self, model: Trainable, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """Returns what is exported as a SavedModel: a module that owns all it needs, and its functions by signature."""

    def unused_fields(self) -> Mapping[str, str]:
        """Returns the fields of the recipe that have no effect in this task, each with the tasks in which they have."""
        return {"evaluation.metrics": "tasks of pairs", "decoding.scores": "tasks that write token by token"}

    def scored_column(self, recipe: Recipe) -> str | None:
        """Returns the column of the output that `lstmlm score` scores; None: it scores the text of the request.

        Raises:
            UserError: The task's models give no probabilities of texts.
        """
        what = f"models of task {recipe.task} give no probabilities of texts"
        raise UserError(what, where="task", hint="Use `lstmlm evaluate` or `lstmlm infer`")

    def takes_ids(self, recipe: Recipe) -> bool:
        """Says whether its SavedModel can read token ids in the place of texts, as a given `tokenizer.json` needs."""
        return True

    def check_recipe(self, recipe: Recipe) -> None:  # noqa: B027  (most have nothing to refuse)
        """Refuses, before any work, a recipe that asks for what the task's models cannot do.

        Raises:
            UserError: It names the field at fault.
        """

    def check_export(self, tokenizer: Tokenizer, recipe: Recipe) -> None:  # noqa: B027  (most have nothing to refuse)
        """Refuses what cannot be exported, before the model is built.

        Raises:
            UserError: It names the field at fault.
        """

    def export_files(self, folder: Path, model: Trainable, recipe: Recipe, vocabulary: int) -> dict[str, Any]:
        """Writes what the batch job needs next to the SavedModel; returns what `model.json` says of it."""
        return {}

    def check_predicting(self, export: Path, recipe: Recipe) -> None:  # noqa: B027
        """Refuses, before any worker loads it, a model that cannot predict as the recipe says.

        Raises:
            UserError: It names the field at fault.
        """

    def decoding_stamp(self, recipe: Recipe) -> Sequence[str]:
        """Returns what identifies the folders that predicting reads in addition to the export, such as a model."""
        return ()

    @abc.abstractmethod
    def predictor(self, export: Path, recipe: Recipe) -> Predictor:
        """Loads an export folder for the batch job and the evaluation."""

    @abc.abstractmethod
    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        """Returns the columns of an output, in their order; the first is `id`."""


def text_of(row: Mapping[str, Any], column: str) -> str:
    """Returns the text of a column.

    Raises:
        BlankRecord: It is null or white space.
        BadRecord: There is no such column, or it is not text.
    """
    if column not in row:
        known = ", ".join(map(repr, row))
        raise BadRecord(f"no column {column!r} (there are {known})")
    value = row[column]
    if _is_blank(value):
        raise BlankRecord(f"column {column!r} is empty")
    if not isinstance(value, str):
        raise BadRecord(f"column {column!r} is not text")
    return value


def request_text(row: Mapping[str, Any], key: str, *, may_be_empty: bool = False) -> str:
    """Returns the text of a key of the batch job's input.

    Raises:
        BadRecord: There is no such key, it is not text, or it is empty and must not be.
    """
    if key not in row:
        raise BadRecord(f"no field {key!r} (there are {', '.join(map(repr, row)) or 'none'})")
    value = row[key]
    if not isinstance(value, str):
        raise BadRecord(f"field {key!r} is not text")
    if not may_be_empty and not value.strip():
        raise BadRecord(f"field {key!r} is empty")
    return value


def _is_blank(value: Any) -> bool:
    """Says whether a value is no text: null, white space, or the number that tables write for null."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def task_names() -> list[str]:
    """Returns the names of the tasks of this package and of installed ones, without importing them."""
    return plugins.names(GROUP, PACKAGE)


def load_task(name: str) -> Task:
    """Returns a task by the name that a recipe gives it: see `lstmlm.plugins.find`.

    Raises:
        UserError: There is no such task, or what is named is none.
    """
    found = plugins.find(GROUP, name, PACKAGE)
    task = getattr(found, "TASK", found)
    if isinstance(task, type) and issubclass(task, Task):
        try:
            task = task()
        except TypeError as error:  # it lacks a method
            raise UserError(
                f"{name!r} is not a whole task: {error}", where="task", hint="Define what it lacks"
            ) from error
    if not isinstance(task, Task):
        hint = "Name a subclass of `lstmlm.task.Task`"
        raise UserError(f"{name!r} is not a task but {type(task).__name__}", where="task", hint=hint)
    return task


def stored_task(name: str) -> Task:
    """Returns a task by the name that a model folder holds, which must not decide what code is imported.

    Raises:
        UserError: It is not the name of a built-in task or of an installed package's entry point.
    """
    if ":" in name:
        hint = "Name the recipe of this model: only a recipe may name code"
        raise UserError(f"a model folder names the code {name!r} as its task", where="task", hint=hint)
    return load_task(name)
