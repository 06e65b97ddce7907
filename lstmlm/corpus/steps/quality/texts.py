"""The texts that rule sets check, with their words, which are computed once for all rule sets."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from lstmlm.corpus.steps.quality.words import Words, segment

Reasons = list[str | None]


@dataclasses.dataclass(frozen=True)
class Texts:
    """The source texts of a block.

    Attributes:
        texts: The texts, in the order of the records.
    """

    texts: Sequence[str]

    @functools.cached_property
    def words(self) -> Words:
        """The words of all texts, found on first use and kept for every rule set."""
        return segment(self.texts)
