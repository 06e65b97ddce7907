"""`inference`: the batch job."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from lstmlm.recipe.sections.file_form import COLUMNS, DELIMITER, ENCODING, ColumnNames, Delimiter, EncodingName
from lstmlm.recipe.sections.section import Extension, Fraction, Positive, Section, refuse

_FORMATS = Extension("lstmlm.inference.output.format:FORMATS")
FormatName = Annotated[str, _FORMATS, AfterValidator(_FORMATS.check)]


class InferenceSection(Section):
    """The batch job at the end of the run."""

    input: str | None = Field(
        None,
        description="File, folder or glob below `corpus.root`: as `corpus.train`, or .tfrecord of `tf.train.Example`; "
        "absent: the sources of the valid split.",
    )
    delimiter: Delimiter | None = Field(None, description=f"Of `input`. {DELIMITER}", exclude_if=operator.not_)
    encoding: EncodingName | None = Field(None, description=f"Of `input`. {ENCODING}", exclude_if=operator.not_)
    columns: ColumnNames = Field((), description=f"Of `input`. {COLUMNS}", exclude_if=operator.not_)
    field: str = Field("text", description="Key or column of the input text; a .txt line is the text itself.")
    target: str = Field("target", description="Key of the output text that `lstmlm score` scores (pair tasks).")
    id: str | None = Field(None, description="Key or column of the record's id; absent: `file:line`.")
    prefix: str | None = Field(
        None,
        description="Key or column of the text that the record's output begins with (tasks of pairs). The model reads "
        "it as its own, continues it, and may make its last word longer.",
        exclude_if=operator.not_,
    )
    forced: str | None = Field(
        None,
        description="Key or column of words and phrases, a text or a list, that occur in the record's output, in "
        "addition to `decoding.forced`; beam search. An empty value asks for nothing.",
        exclude_if=operator.not_,
    )
    forbidden: str | None = Field(
        None,
        description="Key or column of words and phrases, a text or a list, that do not occur in the record's output, "
        "in addition to `decoding.forbidden`. An empty value asks for nothing.",
        exclude_if=operator.not_,
    )
    separator: str | None = Field(
        None,
        min_length=1,
        description="What separates the phrases in a text of `forced` and `forbidden`, such as `;`. Absent: a text is "
        "one phrase.",
        exclude_if=operator.not_,
    )
    models: tuple[Path, ...] = Field(
        (),
        description="Export folders of further models with the same vocabulary (an ensemble): at each step the "
        "log-probabilities of these and of the export are averaged and normalised. The evaluation of pairs decodes so "
        "too; perplexity is that of the export.",
        exclude_if=operator.not_,
    )
    documents: str | None = Field(
        None,
        description="File, folder or glob below `corpus.root`: texts in which a question without a passage is looked "
        "up (`answer`), in the columns `corpus.source` and `corpus.id`; a .txt line is one.",
    )
    read_documents: Positive = Field(5, description="Documents that are read for such a question.")
    max_records: Positive | None = Field(None, description="Records taken from the valid split at most.")
    format: FormatName = Field("jsonl", description="Kind of the output files.")
    shards: Positive = Field(2, description="Files the outputs are written to.")
    max_dead_fraction: Fraction = Field(0.01, description="A larger share of dead letters fails the job.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuses what would have no effect."""
        refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        if self.separator and not (self.forced or self.forbidden):
            yield "`separator` has no effect without `forced` or `forbidden`. Leave it out, or name their columns"

    @property
    def constraint_columns(self) -> dict[str, str]:
        """What constrains an output of its own record: `prefix`, `forced` or `forbidden` -> the column."""
        found = {"prefix": self.prefix, "forced": self.forced, "forbidden": self.forbidden}
        return {name: column for name, column in found.items() if column}
