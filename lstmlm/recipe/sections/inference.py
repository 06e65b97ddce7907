"""`inference`: the batch job."""

from __future__ import annotations

import operator
from typing import Annotated

from pydantic import AfterValidator, Field

from lstmlm.recipe.sections.file_form import COLUMNS, DELIMITER, ENCODING, ColumnNames, Delimiter, EncodingName
from lstmlm.recipe.sections.section import Extension, Fraction, Positive, Section

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
