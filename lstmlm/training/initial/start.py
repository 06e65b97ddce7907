"""Puts the weights of an earlier model into the network of a worker, and says what of it learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from lstmlm.models.base import Trainable
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.initial.groups import frozen, paces
from lstmlm.training.initial.take import taken
from lstmlm.training.pace import Pace


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """How training starts.

    Attributes:
        learning: The variables that learn, by name.
        paces: How fast those learn that were taken over.
    """

    learning: Mapping[str, tf.Variable]
    paces: Mapping[str, Pace]


def start(recipe: Recipe, tokenizer: Path, network: Trainable) -> Start:
    """Assigns the weights that `training.initial` names; without it, a network learns as it is.

    Args:
        recipe: The run.
        tokenizer: The tokenizer folder.
        network: The network that is to be trained.

    Raises:
        UserError: See `taken`.
    """
    variables, initial, fixed = network.named_variables(), recipe.training.initial, network.fixed()
    if initial is None:
        return Start({name: variable for name, variable in variables.items() if name not in fixed}, {})
    values, parts = taken(recipe, tokenizer, network), network.parts()
    for name, value in values.items():
        variables[name].assign(value)
    still = frozen(initial, parts, values) | fixed
    learning = {name: variable for name, variable in variables.items() if name not in still}
    return Start(learning, paces(initial, parts, values))
