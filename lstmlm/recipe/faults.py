"""Faults of a recipe, and the messages for type errors."""

from __future__ import annotations

import dataclasses

Key = tuple[str | int, ...]
"""Where something is in a recipe: names of fields, and places in lists."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a recipe.

    Attributes:
        key: The field; empty: the recipe as a whole.
        what: What is wrong.
        hint: What to do.
        place: Where it is, where that is not where the field is given: a line of the file, or a `--set`.
        about: All fields that it is about, for a fault of several together.
    """

    key: Key
    what: str
    hint: str
    place: int | str | None = None
    about: tuple[Key, ...] = ()

    @property
    def field(self) -> str:
        """The field as users write it: `training.steps`."""
        return ".".join(map(str, self.key))
