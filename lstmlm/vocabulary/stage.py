"""The tokenizer stage: a vocabulary trained on a sample of the train split, or the one the recipe names."""

from __future__ import annotations

import json
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.cache import output_place
from lstmlm.publish.folder import Draft, Manifest, read_manifest, sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in, records_in_files, shard_files
from lstmlm.records.tfrecord import count_records
from lstmlm.stages import STAGES
from lstmlm.storage import place
from lstmlm.task import Task, load_task
from lstmlm.tokenizer.foreign.given import adopt
from lstmlm.tokenizer.growth import grown, older_file, write_growth
from lstmlm.tokenizer.tokenizer import LABELS_FILE, MODEL_FILE, Tokenizer
from lstmlm.vocabulary.grow import grow
from lstmlm.vocabulary.outside import outside_fingerprint
from lstmlm.vocabulary.train import train_model, training_lines

STAGE = STAGES["tokenizer"]


def train_tokenizer(recipe: Recipe, records: Path, output: Path, progress: Progress) -> Manifest:
    """Publishes the vocabulary: `tokenizer.model`, or the `tokenizer.json` that the recipe gives.

    The facts hold `vocabulary` (pieces), `algorithm`, `sampled` (records trained on) and, of a given file, `sha256` and
    `renumbered`; of one that grew, `grown_from`.

    Args:
        recipe: The run; `tokenizer`, `task` and `seed` are used.
        records: A records folder, or the URL of one in a store.
        output: The folder to publish, or the URL of one in a store; a no-op where it holds this result.
        progress: Receives the progress of the stage.

    Raises:
        UserError: The vocabulary does not fit the text, or the given file is not a vocabulary.
    """
    records, output = place(records), output_place(output)
    source = read_manifest(records, "records")
    given = outside_fingerprint(recipe)

    def write(draft: Draft) -> None:
        task = load_task(recipe.task)
        if type(task).labels is not Task.labels:
            _write_labels(task, records, draft, recipe)
        if task.vocabulary == "none":
            draft.facts.update(vocabulary=0, sampled=0)
        elif recipe.tokenizer.model is None:
            _make(recipe, records, draft, progress)
        else:
            draft.facts.update(adopt(recipe.tokenizer.model, draft.path), sampled=0, sha256=given)

    stamp = STAGE.stamp(*STAGE.decided(recipe).values(), source.fingerprint, given)
    return STAGE.publish(output, stamp, write)


def _write_labels(task: Task, records: Path, draft: Draft, recipe: Recipe) -> None:
    """Writes the labels of the train split, sorted, so that their numbers follow from the set of them.

    Raises:
        UserError: There is no label, or the task refuses them.
    """
    found = sorted({label for record in records_in(records, "train") for label in task.labels(record)})
    if not found:
        what = "no record of the train split has a label"
        raise UserError(what, where="corpus.train", hint="Name files whose records have one")
    task.check_labels(found, recipe)
    text = json.dumps(found, ensure_ascii=False, indent=0) + "\n"
    (draft.path / LABELS_FILE).write_text(text, encoding="utf-8")
    draft.facts["labels"] = len(found)


def _make(recipe: Recipe, records: Path, draft: Draft, progress: Progress) -> None:
    """Trains a vocabulary, or grows an older one, on a sample of the train split."""
    # Beam takes seconds to import, and who only encodes text needs none.
    from lstmlm.vocabulary.sample import draw_sample

    task, settings = load_task(recipe.task), recipe.tokenizer
    sample = draft.path / "sample.tfrecord"
    progress.update(0, unit="records", note="sampling")
    draw_sample(shard_files(records, "train"), settings.sample, recipe.seed, sample)
    sampled = count_records(sample)
    progress.update(sampled, sampled, unit="records", note="training the vocabulary")
    texts = (text for record in records_in_files([sample]) for text in task.vocabulary_texts(record))
    lines = (line for text in texts for line in training_lines(text))
    old, path = older_file(recipe), draft.path / MODEL_FILE
    if old is None:
        path.write_bytes(train_model(lines, settings))
    else:
        before = Tokenizer(old)  # checks its special ids too
        model, parts = grow(before.model_bytes, lines, settings)
        path.write_bytes(model)
        write_growth(grown(old, before.size, parts), draft.path)
        draft.facts["grown_from"] = {"vocabulary": before.size, "sha256": sha256_file(old)}
    sample.unlink()
    draft.facts.update(vocabulary=Tokenizer(path).size, algorithm=settings.algorithm, sampled=sampled)
