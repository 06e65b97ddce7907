"""LSTM layers of an earlier model for a new network; two language models make the layers of a bidirectional encoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.models.base import Trainable
from lstmlm.models.parts import Part, member_of, of_first_member, part_of
from lstmlm.training.initial.earlier import FIELD, Earlier

if TYPE_CHECKING:
    from lstmlm.training.initial.earlier import Arrays

Way = Literal["forward", "backward"]


@dataclasses.dataclass(frozen=True, slots=True)
class Stacked:
    """The layers of a stack in one direction: number of the layer and weight -> variable.

    Attributes:
        name: Of the stack.
        layers: Layer -> weight -> name of the variable.
    """

    name: str
    layers: Mapping[int, Mapping[str, str]]


def taken_layers(
    earlier: Earlier, backward: Earlier | None, parts: Mapping[str, Part], network: Trainable, *, residual: bool
) -> Arrays:
    """Returns the weights of LSTM layers, by the variable that takes them.

    A stack takes over the stack of the same name where the earlier model has it. Otherwise the layers of a language
    model go into the encoder: those of `earlier` forward, those of `backward` backward. The upper layers of a
    bidirectional encoder read both directions of the layer below; what a language model's layer does not read gets
    weights of 0, so that the encoder computes at first what the two language models compute.

    Args:
        earlier: The earlier model.
        backward: A language model that reads backward, if one is given.
        parts: What each variable of the network is.
        network: The network that is to be trained.
        residual: Whether the layers of the network are residual.

    Raises:
        UserError: The layers do not fit; both sides are named.
    """
    arrays = earlier.arrays()
    there = {name: part for name in arrays if (part := part_of(name)) is not None}
    here = stacks(parts)
    if not here:
        raise UserError("this network has no LSTM layers to start", where=FIELD, hint="Leave layers out of `parts`")
    theirs = stacks(there)
    same = {key: (stack, found) for key, stack in here.items() if (found := _namesake(key, theirs)) is not None}
    _check_residual(earlier, here, residual=residual)
    if same and backward is None:
        shapes = {name: tuple(variable.shape) for name, variable in network.named_variables().items()}
        return _same_stacks(list(same.values()), arrays, shapes, earlier)
    return _from_language_models(earlier, backward, here, network, residual=residual)


def stacks(parts: Mapping[str, Part]) -> dict[tuple[str, Way | None], Stacked]:
    """Returns the stacks of layers among the parts of a network, by name and direction."""
    found: dict[tuple[str, Way | None], dict[int, dict[str, str]]] = {}
    for name, part in sorted(parts.items()):
        if part.kind == "layers":
            found.setdefault((member_of(name) + part.stack, part.way), {}).setdefault(part.number, {})[part.weight] = (
                name
            )
    return {key: Stacked(key[0], layers) for key, layers in found.items()}


def _namesake(key: tuple[str, Way | None], there: Mapping[tuple[str, Way | None], Stacked]) -> Stacked | None:
    """Returns the stack of the same name of an earlier model, or for a member of an ensemble that of its first one."""
    name, way = key
    return there.get(key) or there.get((of_first_member(name), way))


def _same_stacks(
    pairs: Sequence[tuple[Stacked, Stacked]],
    arrays: Arrays,
    shapes: Mapping[str, tuple[int, ...]],
    earlier: Earlier,
) -> Arrays:
    found: Arrays = {}
    for stack, given in pairs:
        theirs = _described(given, {name: values.shape for name, values in arrays.items()})
        own = _described(stack, shapes)
        if theirs != own:
            raise _misfit(earlier, theirs, own)
        for number, layer in stack.layers.items():
            found |= {name: arrays[given.layers[number][weight]] for weight, name in layer.items()}
    return found


def _from_language_models(
    earlier: Earlier,
    backward: Earlier | None,
    here: Mapping[tuple[str, Way | None], Stacked],
    network: Trainable,
    *,
    residual: bool,
) -> Arrays:
    ahead = [stack for (_, way), stack in here.items() if way == "forward"]
    back = [stack for (_, way), stack in here.items() if way == "backward"]
    plain = [stack for (_, way), stack in here.items() if way is None]
    if backward is not None and not back:
        what = f"backward names {backward.folder}, and this network has no layers that read backward"
        raise UserError(what, where=FIELD, hint="Leave backward out")
    for model, wanted in ((earlier, False), (backward, True)):
        if model is not None and model.backward != wanted:
            ways = ("backward" if model.backward else "forward", "backward" if wanted else "forward")
            field = f"{FIELD}.backward" if wanted else f"{FIELD}.model"
            what = f"{model.folder} is a model that reads {ways[0]}, and one that reads {ways[1]} is needed"
            raise UserError(what, where=field, hint="Name the other one, or train it with task_options.direction")
    found: Arrays = {}
    for model, taking, half in ((earlier, ahead or plain, 0), (backward, back, 1)):
        if model is None:
            continue
        _check_residual(model, here, residual=residual)
        for stack in taking:
            found |= _from_one(model, stack, half, network)
    return found


def _from_one(earlier: Earlier, stack: Stacked, half: int, network: Trainable) -> Arrays:
    """Returns a language model's layers for one direction of an encoder.

    Args:
        earlier: The language model.
        stack: The layers that take them.
        half: Which half of what an upper layer reads is of this direction.
        network: The network that is to be trained.
    """
    arrays, variables = earlier.arrays(), network.named_variables()
    there = stacks({name: part for name in arrays if (part := part_of(name)) is not None}).get(("layer", None))
    own = {name: tuple(variables[name].shape) for layer in stack.layers.values() for name in layer.values()}
    described = _described(stack, own)
    if there is None:
        what = f"{earlier.folder} has no layers of a language model, and this network needs {described}"
        raise UserError(what, where=FIELD, hint="Name a language model (task generate)")
    theirs = _described(there, {name: values.shape for name, values in arrays.items()})
    if theirs != described:
        raise _misfit(earlier, theirs, described)
    found = {}
    for number, layer in stack.layers.items():
        for weight, name in layer.items():
            values = arrays[there.layers[number][weight]]
            found[name] = _widened(values, own[name], half) if weight == "kernel" else values
    return found


def _widened(kernel: npt.NDArray[np.float32], shape: tuple[int, ...], half: int) -> npt.NDArray[np.float32]:
    """Returns input weights for a layer that reads both directions: 0 for what the other direction gives."""
    if kernel.shape == shape:
        return kernel
    found = np.zeros(shape, np.float32)
    found[half * len(kernel) : (half + 1) * len(kernel)] = kernel
    return found


def _described(stack: Stacked, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Returns the sizes of a stack in words: what has the same words fits."""
    bottom = stack.layers[min(stack.layers)]
    units, width = shapes[bottom["recurrent"]][0], shapes[bottom["kernel"]][0]
    count = len(stack.layers)
    return (
        f"{count} layer{'s' if count > 1 else ''} of {units} units that read{'s' if count == 1 else ''} {width} numbers"
    )


def _misfit(earlier: Earlier, theirs: str, own: str) -> UserError:
    what = f"{earlier.folder} has {theirs}, and this network has {own}"
    return UserError(
        what, where=FIELD, hint="Give `model` the sizes of the earlier model, or leave layers out of `parts`"
    )


def _check_residual(earlier: Earlier, here: Mapping[tuple[str, Way | None], Stacked], *, residual: bool) -> None:
    if earlier.model.residual != residual and any(len(stack.layers) > 1 for stack in here.values()):
        what = f"{earlier.folder} has model.residual={earlier.model.residual}, and this recipe has {residual}"
        raise UserError(what.replace("True", "true").replace("False", "false"), where=FIELD, hint="Use the same")
