"""Kinds of personal data beyond those with a form of their own, and how one is found by the name in a recipe."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from lstmlm.corpus.steps.privacy.spans import KINDS, OF_PRESIDIO, PiiSpan
from lstmlm.errors import UserError
from lstmlm.plugins import Registry


class PrivacyKind(abc.ABC):
    """A kind of personal data.

    Attributes:
        name: What it is called in the report; `<NAME>` replaces it. Small letters and underscores.
        names: What its finds are called where they are of several kinds; empty: all have the name.
        as_written: Whether it looks at texts as they are written, and not with ASCII digits and signs.
        in_messages: Whether messages, ids and names of files are scrubbed of it too: it is quick, and needs no model.
        version: Part of the fingerprint of what was scrubbed; to be raised when something else is found.
    """

    name: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ()
    as_written: ClassVar[bool] = False
    in_messages: ClassVar[bool] = True
    version: ClassVar[str] = "1"

    def check_installed(self) -> None:  # noqa: B027  (most need nothing)
        """Checks that what it needs is installed, without loading it.

        Raises:
            UserError: It is not.
        """

    def setup(self) -> None:  # noqa: B027  (most have nothing to load)
        """Loads what it needs, once per process; called again it does nothing.

        Raises:
            UserError: It is not installed.
        """

    def may_find(self, text: str) -> bool:
        """Returns whether anything can be in a text as it is written: a look that costs little."""
        return True

    @abc.abstractmethod
    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yields first character and end (exclusive) of each find, in any order.

        Args:
            text: A text whose digits and signs of all scripts are ASCII ones; with `as_written` as it is.
        """

    def find_spans(self, text: str) -> Iterator[PiiSpan]:
        """Yields the finds with their names."""
        yield from (PiiSpan(*place, self.name) for place in self.find(text))


PRIVACY_KINDS = Registry(
    "lstmlm.privacy_kinds",
    PrivacyKind,  # type: ignore[type-abstract]
    "KIND",
    "lstmlm.corpus.steps.privacy.more",
)


def known_names() -> list[str]:
    """Returns the kinds of this package, as recipes name them."""
    return [*KINDS, *PRIVACY_KINDS.builtin()]


def further_kinds(names: Iterable[str]) -> list[str]:
    """Returns those of the names that are not of a kind with a form of its own (`KINDS`)."""
    return [name for name in names if name not in KINDS]


def privacy_kind(name: str) -> PrivacyKind:
    """Returns a kind that a recipe names in `corpus.privacy.kinds`, and that is not in `KINDS`; see `Registry.load`.

    Raises:
        UserError: There is none of that name, what is named is no kind of personal data, or its name cannot be one.
    """
    made = PRIVACY_KINDS.load(name)
    if name in PRIVACY_KINDS.builtin():
        return made
    for own in made.names or (made.name,):
        if not re.fullmatch("[a-z_]+", own) or own in (*KINDS, *OF_PRESIDIO):
            hint = "Use a name of its own, of small letters and underscores"
            raise UserError(f"the kind {name!r} calls its finds {own!r}", where="kinds", hint=hint)
    return made


def kind_versions(names: Iterable[str]) -> list[str]:
    """Returns `name version` of the kinds of other packages, for a fingerprint."""
    return PRIVACY_KINDS.versions(further_kinds(names))
