"""How fast a variable learns compared with the others, and from which step on."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """The pace of a variable.

    Attributes:
        factor: What the learning rate is multiplied by, above 0 and at most 1.
        after: Steps before it begins to learn.
    """

    factor: float = 1.0
    after: int = 0


FULL = Pace()
"""The pace of a variable that learns like any other."""
