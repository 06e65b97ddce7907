"""The transform that makes records of rows and cleans them, as the ingest stage does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from lstmlm.api.recipes import RecipeLike, recipe_of
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.chain import steps
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.records.record import stable_hash
from lstmlm.task import BadRecord, BlankRecord, load_task

RECORDS, DROPPED, DEAD = "records", "dropped", "dead"
"""The outputs of the transform."""

_ROWS = 1000
"""Rows of a batch at most, and of a task with large records fewer."""


class CleanRows(beam.PTransform):
    """`rows | CleanRows("recipe.yaml")` gives three collections, and every row is in one of them.

    A row is a mapping of columns or, of a corpus of text only, a text.

    - `records`: `lstmlm.records.Record`, after every step of the recipe's `corpus` section: normalise, quality,
      filters, languages, privacy. The id is that of `corpus.id`; without one, or with privacy, a hash;
    - `dropped`: pairs of a row's record and the rule that dropped it;
    - `dead`: pairs of a row that cannot become a record, as it was given, and the reason.
    """

    def __init__(self, recipe: RecipeLike) -> None:
        """Makes the transform.

        Args:
            recipe: See `lstmlm.train`; `corpus` and `task` are used, the files that it names are not.

        Raises:
            UserError: The recipe is wrong, or asks for what is not done row by row.
        """
        super().__init__()
        run = recipe_of(recipe)
        # What is dropped is given out, so it has to be scrubbed too.
        corpus = run.corpus.model_copy(update={"exclusions": True})
        self._recipe = run.model_copy(update={"corpus": corpus})
        asked = {
            "corpus.duplicates": corpus.duplicates.exact or corpus.duplicates.near is not None,
            "corpus.decontamination": bool(corpus.decontamination.files),
        }
        for field in (name for name, is_asked in asked.items() if is_asked):
            what = "compares the rows of whole files, which a transform of rows does not have"
            raise UserError(what, where=field, hint="Leave it out, or use `lstmlm ingest`")

    def expand(self, rows: beam.PCollection) -> Any:
        """Takes rows, gives the three collections."""
        most = min(_ROWS, load_task(self._recipe.task).block_rows)
        batches = rows | beam.BatchElements(min_batch_size=1, max_batch_size=most)
        return batches | beam.ParDo(_Clean(self._recipe)).with_outputs(DROPPED, DEAD, main=RECORDS)


class _Clean(beam.DoFn):
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def setup(self) -> None:
        self._task = load_task(self._recipe.task)
        self._steps = steps(self._recipe.corpus, None, self._task.further_texts)
        for step in self._steps:
            step.setup()

    def process(self, batch: Sequence[Any]) -> Iterator[Any]:
        block = Block(0, 0, len(batch), [])
        for given in batch:
            corpus = self._recipe.corpus
            row: Mapping[str, Any] = {corpus.source: given} if isinstance(given, str) else given
            try:
                block.records.append(self._task.record(row, _id(row, corpus), self._recipe))
            except (BlankRecord, BadRecord) as problem:
                yield TaggedOutput(DEAD, (given, str(problem)))
        for step in self._steps:
            block = step(block)
        yield from block.records
        for excluded in block.excluded:
            yield TaggedOutput(DROPPED, (excluded.record, excluded.reason))


def _id(row: Mapping[str, Any], corpus: CorpusSection) -> str:
    """Returns the id of a row; one that may hold personal data is hashed."""
    named = None if corpus.id is None else row.get(corpus.id)
    if named is None or corpus.privacy.kinds:
        return f"{stable_hash(repr(sorted(row.items()) if named is None else named)):016x}"
    return str(named)
