"""How fast each variable learns: frozen parts, discriminative rates, gradual unfreezing (Howard and Ruder 2018)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lstmlm.errors import UserError
from lstmlm.models.parts import Part
from lstmlm.recipe.sections.initial import Initial
from lstmlm.training.initial.earlier import FIELD
from lstmlm.training.pace import Pace


def frozen(initial: Initial, parts: Mapping[str, Part], taken: Collection[str]) -> set[str]:
    """Returns the variables that never learn.

    A frozen softmax freezes the embedding that it shares.

    Args:
        initial: The recipe's section.
        parts: What each variable is (`Trainable.parts`).
        taken: The variables that were taken over from the earlier model.
    """
    kinds = {*initial.freeze, *(["embedding"] if "softmax" in initial.freeze else [])}
    return {name for name in taken if name in parts and parts[name].kind in kinds}


def paces(initial: Initial, parts: Mapping[str, Part], taken: Collection[str]) -> dict[str, Pace]:
    """Returns how fast each variable that was taken over learns; all others learn at the full rate from the start.

    The groups, from the top: what is no layer and no embedding (the output), each layer with those of the same number
    in other stacks, the embedding. A group's factor is the product of `rates` down to it, and it begins to learn
    `unfreeze_every` steps after the group above it.

    Args:
        initial: The recipe's section.
        parts: See `frozen`.
        taken: See `frozen`.
    """
    found = {}
    known = [parts[name] for name in taken if name in parts]
    layers = max((part.number + 1 for part in known if part.kind == "layers"), default=0)
    for name in taken:
        depth = _depth(parts.get(name), layers)
        found[name] = Pace(initial.rates**depth, depth * (initial.unfreeze_every or 0))
    return found


def _depth(part: Part | None, layers: int) -> int:
    if part is None or part.kind == "softmax":
        return 0
    return layers - part.number if part.kind == "layers" else layers + 1


def check_something_learns(learning: Collection[str]) -> None:
    """Refuses a recipe that freezes the whole network.

    Raises:
        UserError: It does.
    """
    if not learning:
        raise UserError("freezes the whole network, so nothing learns", where=f"{FIELD}.freeze", hint="Freeze less")
