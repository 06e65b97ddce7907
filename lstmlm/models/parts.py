"""The parts of a network that another network can start from: its embedding, its LSTM layers, its softmax."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from lstmlm.recipe.sections.initial import PartName

TABLE = "embedding/table"
_SOFTMAX = ("embedding/bias", "embedding/clusters", "embedding/cluster_bias", "projection/kernel", "projection/bias")
_MEMBER = re.compile(r"member\d+_")
"""What the names of a member of an ensemble begin with, but for the first."""
_LAYER = re.compile(r"(?P<stack>[a-z]+)_(?P<number>\d+)(_(?P<way>forward|backward))?/(?P<weight>kernel|recurrent|bias)")


class Part(NamedTuple):
    """What a variable is in its network.

    Attributes:
        kind: The part that it belongs to.
        stack: Of a layer's variable: the name of the stack of layers, such as `layer`, `encoder` or `decoder`.
        number: Of a layer's variable: the number of the layer, from 0 at the bottom.
        way: Of a layer's variable: in which direction it reads; absent in a stack of one direction.
        weight: Of a layer's variable: `kernel`, `recurrent` or `bias`.
    """

    kind: PartName
    stack: str = ""
    number: int = 0
    way: Literal["forward", "backward"] | None = None
    weight: str = ""


def of_first_member(name: str) -> str:
    """Returns the name that a variable has in the first member of an ensemble, or without one."""
    return _MEMBER.sub("", name, count=1) if _MEMBER.match(name) else name


def member_of(name: str) -> str:
    """Returns what the name of a variable of a member begins with; empty for the first one."""
    found = _MEMBER.match(name)
    return found[0] if found else ""


def part_of(name: str) -> Part | None:
    """Returns what a variable is by its name; None for what only its own task has.

    The names are those of `TiedSoftmax`, `LSTM` in a `Stack` or an `Encoder`, and of the language model's projection.
    Each member of an ensemble has such parts.
    """
    name = of_first_member(name)
    if name == TABLE:
        return Part("embedding")
    if name in _SOFTMAX:
        return Part("softmax")
    found = _LAYER.fullmatch(name)
    if found is None:
        return None
    way: Literal["forward", "backward"] | None = found["way"]  # type: ignore[assignment]
    return Part("layers", found["stack"], int(found["number"]), way, found["weight"])
