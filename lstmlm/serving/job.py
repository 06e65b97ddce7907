"""An input on its way through the server, and what becomes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from typing import Any

from lstmlm.inference.input.own_constraints import OwnConstraints
from lstmlm.recipe.sections.decoding import DecodingSection


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How inputs are decoded that share a batch.

    Attributes:
        decoding: The section; None: the one that the server was started with.
        by_record: They bring constraints of their own; those without are decoded elsewhere, a little quicker.
    """

    decoding: DecodingSection | None = None
    by_record: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """What became of an input.

    Attributes:
        fields: The columns of the batch job's output; None: there is no output.
        error: Why there is none.
        size: What was computed for it: tokens, frames, or 1 for a label.
    """

    fields: Mapping[str, Any] | None
    error: str = ""
    size: int = 0


@dataclasses.dataclass(eq=False, slots=True)
class Job:
    """An input that was accepted.

    Attributes:
        fields: What the model reads; see `Task.request`.
        seed: Decides the draws of sampling.
        decoding: How it is decoded; None: as the server was started.
        limit: Tokens decoded at most; None: as many as `decoding` allows.
        future: Gets the result, in the thread of the event loop.
        own: What it asks of its own output.
        arrived: When it came, by `time.perf_counter`.
    """

    fields: dict[str, Any]
    seed: int
    decoding: DecodingSection | None
    limit: int | None
    future: asyncio.Future[Done]
    own: OwnConstraints = dataclasses.field(default_factory=OwnConstraints)
    arrived: float = dataclasses.field(default_factory=time.perf_counter)

    @property
    def way(self) -> Way:
        """See `Way`."""
        return Way(self.decoding, bool(self.own))

    def settle(self, done: Done) -> None:
        """Gives the result to whoever waits for it; nobody does where a client left."""
        if not self.future.done():
            self.future.set_result(done)
