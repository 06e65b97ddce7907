"""Kinds of personal data of other packages, and how one is found by the name that a recipe gives it."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator
from typing import ClassVar

from lstmlm import plugins
from lstmlm.corpus.steps.privacy.spans import KINDS, OF_PRESIDIO
from lstmlm.errors import UserError

GROUP = "lstmlm.privacy_kinds"


class PrivacyKind(abc.ABC):
    """A kind of personal data.

    Attributes:
        name: What it is called in the report; `<NAME>` replaces it. Small letters and underscores.
        version: Part of the fingerprint of what was scrubbed; to be raised when something else is found.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"

    def may_find(self, text: str) -> bool:
        """Returns whether anything can be in a text as it is written: a look that costs little."""
        return True

    @abc.abstractmethod
    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yields first character and end (exclusive) of each find, in any order.

        Args:
            text: A text whose digits and signs of all scripts are ASCII ones.
        """


def known_names() -> list[str]:
    """Returns the kinds of this package, as recipes name them."""
    return [*KINDS, "presidio"]


def privacy_kind(name: str) -> PrivacyKind:
    """Returns a kind of another package that a recipe names in `corpus.privacy.kinds`; see `lstmlm.plugins.find`.

    Raises:
        UserError: There is none of that name, or what is named is no kind of personal data.
    """
    found = plugins.find(GROUP, name, None)
    made = found() if isinstance(found, type) and issubclass(found, PrivacyKind) else found
    if not isinstance(made, PrivacyKind):
        hint = "Name a subclass of `lstmlm.corpus.steps.privacy.kind.PrivacyKind`"
        raise UserError(f"{name!r} is not a kind of personal data", where="kinds", hint=hint)
    if not re.fullmatch("[a-z_]+", made.name) or made.name in (*KINDS, *OF_PRESIDIO):
        hint = "Use a name of its own, of small letters and underscores"
        raise UserError(f"the kind {name!r} calls its finds {made.name!r}", where="kinds", hint=hint)
    return made
