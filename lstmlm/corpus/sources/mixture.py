"""Computes how often a record of a file is repeated, from the weights of the mixture."""

from __future__ import annotations

import xxhash

from lstmlm.corpus.sources.globs import name_matches
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Mixture

_RANGE = 2**64


def file_weight(name: str, mixture: tuple[Mixture, ...]) -> float:
    """Returns the weight of a train file: of the first pattern that its name below the root matches, else 1."""
    return next((part.weight for part in mixture if _matches(name, part.files)), 1.0)


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or name_matches(name, pattern) or name.startswith(pattern.rstrip("/") + "/")


def check_mixture(names: list[str], mixture: tuple[Mixture, ...]) -> None:
    """Refuses a weight that is for no file.

    Args:
        names: Names below the root of the train files.
        mixture: The recipe's `corpus.mixture`.

    Raises:
        UserError: A pattern matches no train file.
    """
    for place, part in enumerate(mixture):
        if not any(_matches(name, part.files) for name in names):
            hint = "Name a file or glob among those of corpus.train"
            raise UserError(f"no train file matches {part.files!r}", where=f"corpus.mixture.{place}.files", hint=hint)


def times(payload: bytes, weight: float, seed: int) -> int:
    """Returns how often a record is used: the whole part of the weight, and once more with the chance of the rest.

    Args:
        payload: The serialized record; only it and the seed decide.
        weight: Expected number of uses.
        seed: `recipe.seed`.
    """
    whole = int(weight)
    rest = weight - whole
    return whole + (rest > 0 and xxhash.xxh3_64_intdigest(payload, seed) < rest * _RANGE)
