"""The stages that read a corpus: `ingest` for training, `clean` for a corpus to keep or to pass on."""

from __future__ import annotations

from pathlib import Path

from lstmlm.corpus.passes.process import process
from lstmlm.corpus.passes.sinks import JsonShards, TFRecordShards
from lstmlm.corpus.reading.openers import use_store_options
from lstmlm.corpus.sources.snapshot import snapshot
from lstmlm.corpus.steps.privacy.published import scrubbed_messages
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.cache import output_place
from lstmlm.publish.folder import Draft, Manifest, fingerprint
from lstmlm.publish.lineage import corpus_lineage
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import SPLITS
from lstmlm.runners.runner import Runner
from lstmlm.stages import STAGES

INGEST, CLEAN = STAGES["ingest"], STAGES["clean"]


def ingest(recipe: Recipe, output: Path, progress: Progress, *, runner: Runner | None = None) -> Manifest:
    """Reads and cleans the corpus of a recipe and publishes its records, split and sharded.

    Every shard exists. The records of a split are in corpus order over its shards, or shuffled where the recipe says
    so. Malformed rows are in `dead_letters.jsonl`, dropped records on request in `exclusions.jsonl.gz`, and
    `report.json` and `report.html` show what the corpus is like. The facts hold `counts` (`in`, `kept`, `dropped` and
    `dead_by_reason` by reason, `dead`), `splits` (`records` and `bytes` of each) and `shards`.

    Args:
        recipe: The run; `corpus`, `task` and `seed` are used.
        output: The folder to publish, or the URL of one in a store; a no-op where it holds this result.
        progress: Receives the progress of the stage.
        runner: Where the pipelines run; absent: in this process.

    Raises:
        UserError: Something about the corpus the user must fix; nothing is published.
    """
    output = _begin(output, progress, runner)

    def write(draft: Draft) -> None:
        for split in SPLITS:
            (draft.path / f"Split-{split}").mkdir()
        process(recipe, found, TFRecordShards(draft.path), draft, progress, held_out=True, runner=runner)
        draft.facts |= corpus_lineage(recipe.corpus.root)

    found = snapshot(recipe)
    with scrubbed_messages(recipe.corpus.privacy):
        return INGEST.publish(output, found.fingerprint, write)


def clean(recipe: Recipe, output: Path, progress: Progress, *, runner: Runner | None = None) -> Manifest:
    """Reads and cleans the train files of a recipe and publishes them as `documents-*.jsonl.gz`.

    The same passes as `ingest`, without a split: the lines have the columns `corpus.source` and `corpus.target`, and
    the id, so that a recipe can read them again. What else a document carried is not kept.

    Args:
        recipe: The run; `corpus`, `task` and `seed` are used; `corpus.valid` must be absent.
        output: The folder to publish, or the URL of one in a store; a no-op where it holds this result.
        progress: Receives the progress of the stage.
        runner: Where the pipelines run; absent: in this process.

    Raises:
        UserError: Something about the corpus the user must fix; nothing is published.
    """
    if recipe.corpus.valid is not None:
        hint = "Leave it out: name all files in corpus.train"
        raise UserError("a cleaned corpus has no splits", where="corpus.valid", hint=hint)
    recipe = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"valid_fraction": 0.0})})
    output = _begin(output, progress, runner)

    def write(draft: Draft) -> None:
        sink = JsonShards(draft.path, recipe.corpus)
        process(recipe, found, sink, draft, progress, held_out=False, runner=runner)

    found = snapshot(recipe, held_out=False)
    stamp = fingerprint(CLEAN.kind, found.fingerprint)
    with scrubbed_messages(recipe.corpus.privacy):
        return CLEAN.publish(output, stamp, write)


def _begin(output: Path, progress: Progress, runner: Runner | None) -> Path:
    """Takes the stores' options from the runner's, and says that the corpus is read for its fingerprint.

    Returns:
        The output, which can be written if it is in a store.
    """
    if runner is not None and runner.options:
        use_store_options(runner.flags())
    output = output_place(output)
    progress.update(0, unit="files", note="hashing")
    return output
