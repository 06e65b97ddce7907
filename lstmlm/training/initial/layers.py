"""LSTM layers of an earlier model for a new network; two language models make the layers of a bidirectional encoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.models.base import Trainable
from lstmlm.models.parts import Part, part_of
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
    same = {key: stack for key, stack in here.items() if key in stacks(there)}
    _check_residual(earlier, here, residual=residual)
    if same and backward is None:
        shapes = {name: tuple(variable.shape) for name, variable in network.named_variables().items()}
        return _same_stacks(same, stacks(there), arrays, shapes, earlier)
    return _from_language_models(earlier, backward, here, network, residual=residual)


def stacks(parts: Mapping[str, Part]) -> dict[tuple[str, Way | None], Stacked]:
    """Returns the stacks of layers among the parts of a network, by name and direction."""
    found: dict[tuple[str, Way | None], dict[int, dict[str, str]]] = {}
    for name, part in sorted(parts.items()):
        if part.kind == "layers":
            found.setdefault((part.stack, part.way), {}).setdefault(part.number, {})[part.weight] = name
    return {key: Stacked(key[0], layers) for key, layers in found.items()}


def _same_stacks(
    wanted: Mapping[tuple[str, Way | None], Stacked],
    there: Mapping[tuple[str, Way | None], Stacked],
    arrays: Arrays,
    shapes: Mapping[str, tuple[int, ...]],
    earlier: Earlier,
) -> Arrays:
    found: Arrays = {}
    for key, stack in wanted.items():
        theirs = _described(there[key], {name: values.shape for name, values in arrays.items()})
        own = _described(stack, shapes)
        if theirs != own:
            raise _misfit(earlier, theirs, own)
        for layer in stack.layers.values():
            found |= {name: arrays[name] for name in layer.values()}
    return found


def _from_language_models(
    earlier: Earlier,
    backward: Earlier | None,
    here: Mapping[tuple[str, Way | None], Stacked],
    network: Trainable,
    *,
    residual: bool,
) -> Arrays:
    ahead = next((stack for (_, way), stack in here.items() if way == "forward"), None)
    back = next((stack for (_, way), stack in here.items() if way == "backward"), None)
    plain = next((stack for (name, way), stack in here.items() if way is None), None)
    forward = ahead or plain
    if backward is not None and back is None:
        what = f"backward names {backward.folder}, and this network has no layers that read backward"
        raise UserError(what, where=FIELD, hint="Leave backward out")
    for model, wanted in ((earlier, False), (backward, True)):
        if model is not None and model.backward != wanted:
            ways = ("backward" if model.backward else "forward", "backward" if wanted else "forward")
            field = f"{FIELD}.backward" if wanted else f"{FIELD}.model"
            what = f"{model.folder} is a model that reads {ways[0]}, and one that reads {ways[1]} is needed"
            raise UserError(what, where=field, hint="Name the other one, or train it with task_options.direction")
    found: Arrays = {}
    for model, stack, row in ((earlier, forward, 0), (backward, back, 1)):
        if model is not None and stack is not None:
            _check_residual(model, here, residual=residual)
            found |= _from_one(model, stack, row, network)
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
