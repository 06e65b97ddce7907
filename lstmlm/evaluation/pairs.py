"""Decodes held-out pairs with a published model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.records.record import Record, stable_hash
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


def decode_held_out(
    export: Path, records: Sequence[Record], recipe: Recipe
) -> tuple[list[str], list[list[str]], list[str]]:
    """Decodes the distinct sources of the records as the recipe's `decoding` section says.

    Args:
        export: The export folder.
        records: Held-out records; those with the same source count as one, with the targets of all.
        recipe: Gives evaluation.max_records, the number of distinct sources decoded at most, and the seed.

    Returns:
        Outputs, the accepted texts of each, and the sources; all of the same length, in the order of the records.

    Raises:
        UserError: The model cannot be decoded so.
    """
    from lstmlm.inference.model.loading import load_text_model

    groups = group_by_source(records, recipe.evaluation.max_records, recipe.seed)
    sources = [record.source for record, _ in groups]
    seeds = [stable_hash(recipe.seed, record.id) for record, _ in groups]
    # The task of the recipe: the export may name one of another package, and must not decide what is imported.
    task = load_task(recipe.task)
    threads, models = recipe.training.threads, recipe.inference.models
    model = load_text_model(export, threads=threads, decoding=recipe.decoding, task=task, models=models)
    outputs = model.generate(sources, seeds)
    return [output.text for output in outputs], [targets for _, targets in groups], sources


def empty_share(outputs: Sequence[str]) -> float:
    """Returns the share of outputs that are empty or blank, 0 to 1."""
    return sum(not output.strip() for output in outputs) / len(outputs) if outputs else 0.0


def group_by_source(records: Sequence[Record], most: int, seed: int) -> list[tuple[Record, list[str]]]:
    """Joins records with the same source and draws some of them.

    The draw is by hash: a corpus is often sorted, by length for example, so its first records are not representative.

    Args:
        records: Records with targets.
        most: Number of groups kept at most.
        seed: Decides which.

    Returns:
        The first record of each group and the distinct targets of all its records, in the order of the records.
    """
    groups: dict[str, tuple[Record, list[str]]] = {}
    for record in records:
        _, targets = groups.setdefault(record.source, (record, []))
        targets.extend(target for target in record.targets if target not in targets)
    drawn = sorted(groups, key=lambda source: stable_hash(seed, "evaluate", source))[:most]
    kept = set(drawn)
    return [group for source, group in groups.items() if source in kept]
