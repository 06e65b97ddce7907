"""What the calls of a model take in addition to plain texts."""

from __future__ import annotations

import dataclasses
from typing import Any


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
