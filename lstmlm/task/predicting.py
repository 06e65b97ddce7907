"""The part of a task that makes requests of rows, and predictions of requests."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.errors import UserError
from lstmlm.records.record import Record
from lstmlm.task.columns import request_text
from lstmlm.task.values import OutputColumn, Predictor

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


class PredictionSide(abc.ABC):
    """From the input of the batch job to predictions."""

    has_targets: bool
    file_endings: Sequence[str] = ()
    """Endings of files that are requests of the batch job by themselves, such as `.wav`."""

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

    def scored_column(self, recipe: Recipe) -> str | None:
        """Returns the column of the output that `lstmlm score` scores; None: it scores the text of the request.

        Raises:
            UserError: The task's models give no probabilities of texts.
        """
        what = f"models of task {recipe.task} give no probabilities of texts"
        raise UserError(what, where="task", hint="Use `lstmlm evaluate` or `lstmlm infer`")

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
