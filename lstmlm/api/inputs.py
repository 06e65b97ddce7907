"""What the calls of a model take in addition to plain texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lstmlm.task import BadRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Constrained:
    """A text, and what its output has to be like; it may take the place of any text in a list or stream.

    What the `decoding` section asks of all outputs is asked of this one too.

    Attributes:
        text: The text, or the prompt.
        prefix: The output begins with this text (models of pairs). The model continues it, and may make its last word
            longer.
        forced: Words and phrases that occur in the output; they need `method: beam`.
        forbidden: Words and phrases that do not occur in the output.

    >>> Constrained("a red house", prefix="Une", forbidden=("bleue",))
    Constrained(text='a red house', prefix='Une', forced=(), forbidden=('bleue',))
    """

    text: str
    prefix: str = ""
    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Returns the fields of a request, but for those of the text."""
        return {"prefix": self.prefix, "forced": self.forced, "forbidden": self.forbidden}


def with_constraints(given: Any) -> Any:
    """Returns an object of JSON, such as `{"text": ..., "forced": [...]}`, as a `Constrained`; all else as it is.

    Raises:
        BadRecord: The object has no text, or a field of another name.
    """
    if not isinstance(given, Mapping):
        return given
    names = [field.name for field in dataclasses.fields(Constrained)]
    if unknown := sorted(given.keys() - {*names}):
        raise BadRecord(f"unknown field {unknown[0]!r} of an input; there are {', '.join(names)}")
    if not isinstance(given.get("text"), str):
        raise BadRecord('an input that is an object needs a text: {"text": ...}')
    return Constrained(**given)
