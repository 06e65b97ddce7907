"""Pairs of a real text and what the generator writes after its beginning, of one length."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.records.record import Record, stable_hash

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.recipe.sections.evaluation import Comparison
    from lstmlm.task import Task
    from lstmlm.tokenizer import Tokenizer

FEWEST = 40
"""Pairs that are needed at least: fewer say nothing."""
_WORD_WITHIN = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """A real text, and samples that begin as it does.

    Attributes:
        id: The record's id.
        prompt: How both begin, as text.
        given: How many tokens of the real text are the prompt.
        real: Token ids of the real text.
        samples: What the generator wrote after the prompt, as texts.
        generated: Token ids of each sample, the prompt before it. All have as many tokens as the real text.
    """

    id: str
    prompt: str
    given: int
    real: list[int]
    samples: list[str]
    generated: list[list[int]]


def drawn_pairs(export: Path, records: Sequence[Record], recipe: Recipe, task: Task) -> list[Pair]:
    """Draws records by hash and has the generator write after their beginnings.

    It samples as the recipe's `decoding` says, with the temperature, `top_k` and `top_p`, and never ends a text: every
    sample is as long as what follows the beginning of the real text, so that lengths say nothing.

    Args:
        export: The export folder.
        records: The valid split.
        recipe: The run.
        task: The task.

    Raises:
        UserError: Too few records are long enough.
    """
    from lstmlm.inference.model.engine_model import EngineModel
    from lstmlm.inference.model.loading import engine_facts

    settings = recipe.evaluation.judge
    facts = engine_facts(export)
    if facts is None:
        what = "this export has only a SavedModel, and the judge needs several samples of a prompt"
        raise UserError(what, where=str(export), hint="Train a model without model.residual")
    length = {"max_tokens": settings.tokens, "min_tokens": settings.tokens}
    sampled = {"method": "sample", "n_best": settings.samples, "forced": (), "no_repeat_ngram": 0, **length}
    decoding = recipe.decoding.model_copy(update=sampled)
    model = EngineModel(export, facts, threads=recipe.training.threads, decoding=decoding, task=task)
    chosen = _chosen(records, model.tokenizer, settings, recipe.seed)
    prompts = [model.tokenizer.decode(ids[:given]) for _, ids, given in chosen]
    seeds = [stable_hash(recipe.seed, "judge", record.id) for record, _, _ in chosen]
    outputs = model.generate(prompts, seeds)
    pairs = []
    for (record, ids, given), prompt, output in zip(chosen, prompts, outputs, strict=True):
        texts = [text for text, _ in output.n_best] or [output.text]
        generated = [model.tokenizer.encode(prompt + text) for text in texts]
        size = min(len(ids), *map(len, generated))
        if size > given:
            cut = [sample[:size] for sample in generated]
            pairs.append(Pair(record.id, prompt, given, ids[:size], texts, cut))
    return pairs


def _chosen(
    records: Sequence[Record], tokenizer: Tokenizer, settings: Comparison, seed: int
) -> list[tuple[Record, list[int], int]]:
    """Returns records with their first tokens, and how many of these are the prompt.

    Raises:
        UserError: Too few records are long enough.
    """
    order = sorted(records, key=lambda record: stable_hash(seed, "judge", record.id))
    found: list[tuple[Record, list[int], int]] = []
    for record in order:
        ids = tokenizer.encode(record.source)
        given = _prompt_size(ids, tokenizer, settings.prompt)
        if len(ids) >= given + settings.tokens:
            found.append((record, ids[: given + settings.tokens], given))
        if len(found) == settings.records:
            break
    if len(found) < FEWEST:
        size = settings.prompt + settings.tokens
        what = f"only {len(found)} held-out records have {size} tokens, and {FEWEST} are needed"
        hint = "Set evaluation.judge.tokens to less, or hold out more"
        raise UserError(what, where="evaluation.judge.tokens", hint=hint)
    return found


def _prompt_size(ids: Sequence[int], tokenizer: Tokenizer, fewest: int) -> int:
    """Returns how many tokens the prompt has: up to the end of a word, where one ends soon."""
    for place in range(fewest, min(len(ids), fewest + _WORD_WITHIN)):
        if tokenizer.decode_continuation([ids[place]]).startswith(" "):
            return place
    return fewest
