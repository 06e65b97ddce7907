"""The score stage: computes the log-probability of given texts under an exported model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.steps.privacy.kind import kind_versions
from lstmlm.corpus.steps.privacy.published import scrubbed, scrubbed_messages, scrubber_of, without_key
from lstmlm.errors import UserError
from lstmlm.inference.input.counting import count
from lstmlm.inference.input.inputs import Files, named
from lstmlm.inference.input.requests import Dead, Request
from lstmlm.inference.model.backend_kind import BACKENDS
from lstmlm.inference.model.loading import check_task, engine_facts
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, fingerprint, read_manifest
from lstmlm.stages import STAGES
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.decoding.score import Score
    from lstmlm.inference.model.engine_model import EngineModel
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe

STAGE = STAGES["score"]
SCORES = "scores.jsonl"
BATCH = 4096


def score_texts(recipe: Recipe, export: Path, input: Path, output: Path, progress: Progress) -> Manifest:
    """Scores texts with a published model.

    A language model scores the text of `inference.field`, from the start of a stream to *end*; a pair model scores the
    text of `inference.target` as the output for that of `inference.field` (`Task.scored_column`).

    Args:
        recipe: The run; its `inference` section names the keys.
        export: The export folder, or the URL of one in a store.
        input: A file, a folder or a glob; see `inference.input` in the recipe.
        output: A folder, or the URL of one in a store. Gets `scores.jsonl` (`id`, `log_probability` in nats, `tokens`,
            *end* included, and `perplexity` a token) in the order of the input, and `dead_letters.jsonl`.
        progress: Receives the progress of the stage.

    Returns:
        The manifest; its facts hold the counts and the perplexity over all tokens.

    Raises:
        UserError: The task scores no texts, the export is not finished or has no engine, the input is missing or empty,
            or too many of its lines are dead letters.
    """
    from lstmlm.inference.output.lines import json_line
    from lstmlm.inference.run import DEAD_LETTERS

    target = load_task(recipe.task).scored_column(recipe)
    output, export = output_place(output), local_copy(export)
    model = read_manifest(export, "export", verify=True)
    facts = engine_facts(export)
    if facts is None:
        raise UserError("this export has only a SavedModel, which cannot score", where=str(export), hint="Export again")
    source = named(input, recipe, target)
    privacy = without_key(recipe.corpus.privacy)
    allowed, *computed = STAGE.decided(recipe).values()
    data = [model.fingerprint, allowed, source.stamp(), privacy.model_dump(mode="json"), computed]
    data += BACKENDS.versions([recipe.decoding.backend]) + READERS.versions(recipe.corpus.readers)
    data += kind_versions(privacy.kinds)

    def write(draft: Draft) -> None:
        check_task(export, recipe.task)
        check_same_network(recipe, export)
        with scrubbed_messages(privacy):
            counted = count(source)
            counted.check(allowed, source.where)
        total = counted.total
        scorer, scrubber = _load(export, facts, recipe), scrubber_of(privacy)
        done, nats, tokens = 0, 0.0, 0
        with _writer(draft.path / SCORES) as lines, _writer(draft.path / DEAD_LETTERS) as letters:
            for part in _parts(source):
                requests = [item for item in part if isinstance(item, Request)]
                for letter in (item for item in part if isinstance(item, Dead)):
                    letters.write(json_line(scrubbed(letter.letter(), scrubber)) + "\n")
                pairs = [_pair(request.fields, target) for request in requests]
                for request, found in zip(requests, scorer.score(pairs), strict=True):
                    lines.write(json_line(_line(request, found)) + "\n")
                    nats, tokens = nats - found.log_probability, tokens + found.tokens
                done += len(part)
                progress.update(done, total, unit="records")
        perplexity = _perplexity(nats, tokens)
        draft.facts.update(records=total, dead_letters=counted.dead, tokens=tokens, perplexity=perplexity)

    # The first part is the kind, as it was before the table: finished scores stay valid.
    return STAGE.publish(output, fingerprint(STAGE.kind, STAGE.version, *data), write)


def _load(export: Path, facts: dict[str, Any], recipe: Recipe) -> EngineModel:
    from lstmlm.inference.model.engine_model import EngineModel

    task = load_task(recipe.task)
    return EngineModel(export, facts, threads=recipe.training.threads, decoding=recipe.decoding, task=task)


def _writer(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")


def _parts(source: Files) -> Iterator[Sequence[Request | Dead]]:
    items = source.items()
    while part := list(itertools.islice(items, BATCH)):
        yield part


def _pair(fields: Mapping[str, Any], target: str | None) -> tuple[str, str]:
    """Returns the source and the text that is scored; a language model's text has no source."""
    return ("", fields["source"]) if target is None else (fields["source"], fields["target"])


def _line(request: Request, found: Score) -> dict[str, Any]:
    perplexity = _perplexity(-found.log_probability, found.tokens)
    return {
        "id": request.id,
        "log_probability": round(found.log_probability, 6),
        "tokens": found.tokens,
        "perplexity": perplexity,
    }


def _perplexity(nats: float, tokens: int) -> float | str:
    """Returns the perplexity; JSON has no number for an infinite one."""
    mean = nats / tokens if tokens else math.nan
    value = math.exp(mean) if mean < 700 else math.inf
    return round(value, 6) if math.isfinite(value) else str(value)
