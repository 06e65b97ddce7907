"""Takes the weights of an earlier model over: all of a model of the same task, or its embedding, layers and softmax."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lstmlm.errors import UserError
from lstmlm.models.base import Trainable
from lstmlm.models.parts import TABLE, Part, of_first_member
from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import Initial
from lstmlm.training.initial.earlier import FIELD, Earlier, read_earlier, whole
from lstmlm.training.initial.layers import taken_layers
from lstmlm.training.initial.same import check_labels, check_same_network
from lstmlm.training.initial.vocabulary import fitted

if TYPE_CHECKING:
    from lstmlm.training.initial.earlier import Arrays

logger = logging.getLogger(__name__)


def taken(recipe: Recipe, tokenizer: Path, network: Trainable, *, verify: bool = False) -> Arrays:
    """Returns the weights that training starts from, by the variable that takes them.

    Args:
        recipe: The run; its `training.initial` names the earlier models.
        tokenizer: The tokenizer folder.
        network: The network that is to be trained.
        verify: Compare the files of the earlier models with their hashes.

    Raises:
        UserError: There is no such model, or it does not fit; both sides are named.
    """
    initial = recipe.training.initial
    if initial is None:
        return {}
    earlier = read_earlier(initial.model, verify=verify)
    if whole(initial, earlier, recipe.task):
        check_same_network(recipe, earlier)
        check_labels(earlier, read_manifest(tokenizer, "tokenizer"))
        return _all(fitted(recipe, earlier, tokenizer), network, earlier)
    return _parts(recipe, initial, earlier, tokenizer, network, verify=verify)


def _all(arrays: Arrays, network: Trainable, earlier: Earlier) -> Arrays:
    """Returns all arrays.

    Raises:
        UserError: Some are missing, of another shape, or not of this network.
    """
    wanted = network.named_variables()
    for name in sorted(arrays.keys() | wanted.keys()):
        there = list(arrays[name].shape) if name in arrays else "missing"
        here = list(wanted[name].shape) if name in wanted else "missing"
        if there != here:
            what = f"the weights of {earlier.folder} do not fit: {name} is {there} there and {here} in this recipe"
            raise UserError(what, where=FIELD, hint="Use the `model` section it was trained with")
    return arrays


def _parts(
    recipe: Recipe, initial: Initial, earlier: Earlier, tokenizer: Path, network: Trainable, *, verify: bool
) -> Arrays:
    kinds = initial.parts or ("embedding", "layers")
    parts = network.parts()
    found: Arrays = {}
    if "embedding" in kinds or "softmax" in kinds:
        found |= _taken_table(fitted(recipe, earlier, tokenizer), parts, network, earlier, softmax="softmax" in kinds)
    if "layers" in kinds:
        backward = None if initial.backward is None else read_earlier(initial.backward, verify=verify)
        found |= taken_layers(earlier, backward, parts, network, residual=recipe.model.residual)
        if backward is not None and TABLE in found:
            _compare_tables(earlier, backward)
    return found


def _taken_table(
    arrays: Arrays, parts: Mapping[str, Part], network: Trainable, earlier: Earlier, *, softmax: bool
) -> Arrays:
    """Returns the embedding, and on request what the softmax adds to it.

    Raises:
        UserError: One of the two networks has no such part, or they are of different sizes.
    """
    kinds = {"embedding", "softmax"} if softmax else {"embedding"}
    names = sorted(name for name, part in parts.items() if part.kind in kinds)
    if not any(parts[name].kind == "embedding" for name in names):
        raise UserError("this network has no embedding of tokens to start", where=FIELD, hint="Leave it out of `parts`")
    variables = network.named_variables()
    given = {name: name if name in arrays else of_first_member(name) for name in names}
    for name in names:
        if given[name] not in arrays:
            what = f"this network has {name}, and {earlier.folder} has not"
            raise UserError(what, where=FIELD, hint="Leave softmax out of `parts`")
        there, here = list(arrays[given[name]].shape), list(variables[name].shape)
        if there != here:
            what = f"{name} is {there} in {earlier.folder} and {here} in this recipe"
            hint = f"Set model.embedding={there[1]}" if given[name] == TABLE else "Use its `model` section"
            raise UserError(what, where=FIELD, hint=hint)
    return {name: arrays[given[name]] for name in names}


def _compare_tables(forward: Earlier, backward: Earlier) -> None:
    """Warns where the backward layers learnt to read another embedding than the one that they get now."""
    tables = [one.arrays().get(TABLE) for one in (forward, backward)]
    if tables[0] is None or tables[1] is None or not np.array_equal(tables[0], tables[1]):
        text = (
            "%s was trained with another embedding than %s, whose embedding is used: train it with "
            "training.initial={model: %s, parts: [embedding], freeze: [embedding]} to share one"
        )
        logger.warning(text, backward.folder, forward.folder, forward.folder)
