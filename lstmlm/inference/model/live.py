"""A model of texts that takes texts at any time: each joins the batch that is running."""

from __future__ import annotations

import dataclasses
import itertools

from lstmlm.decoding.arrivals import Arrivals
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.search.request import Hypothesis
from lstmlm.inference.input.own_constraints import OwnConstraints
from lstmlm.inference.model.engine_model import Asked, EngineModel
from lstmlm.inference.model.served import Output


@dataclasses.dataclass(slots=True)
class _Open:
    """A text that is being decoded.

    Attributes:
        asked: What the engine decodes for it.
        found: For each of its requests the hypotheses; None: not yet.
    """

    asked: Asked
    found: list[list[Hypothesis] | None]

    @property
    def drawn(self) -> list[Hypothesis]:
        """The hypotheses of all requests."""
        return [best for one in self.found if one is not None for best in one]


class LiveTexts:
    """Decodes texts step by step; an output is that of `EngineModel.generate`, whatever is decoded with it.

    Args:
        model: The model.
        slots: Rows decoded together.
        meter: Counts what is done.
        by_record: Texts bring constraints of their own.
    """

    def __init__(self, model: EngineModel, slots: int, meter: Meter, *, by_record: bool = False) -> None:
        self._model, self._meter = model, meter
        self._arrivals = Arrivals(model.backend, slots)
        self._batch = model.running(self._arrivals, by_record=by_record)
        self._open: dict[int, _Open] = {}
        self._owners: dict[int, tuple[int, int]] = {}  # of a request: the text's key, and which of its requests
        self._numbers = itertools.count()

    @property
    def busy(self) -> bool:
        """Whether there is a text without its output."""
        return bool(self._open)

    def add(self, key: int, text: str, seed: int, limit: int | None = None, own: OwnConstraints | None = None) -> None:
        """Takes a text.

        Args:
            key: A number that no other text has at the same time.
            text: The text.
            seed: Decides the draws of sampling, below 2**63.
            limit: Tokens decoded at most; see `EngineModel.asked`.
            own: What the text asks of its output.

        Raises:
            BadRecord: No output can be as the text asks for.
        """
        asked = self._model.asked(text, seed, limit, own)
        self._open[key] = _Open(asked, [None] * len(asked.requests))
        for place, request in enumerate(asked.requests):
            number = next(self._numbers)
            self._owners[number] = (key, place)
            self._arrivals.add(number, request)

    def step(self) -> list[tuple[int, Output | ValueError]]:
        """Decodes a token of every text in a slot; returns the texts that are finished, by their keys.

        In the place of an output may be an error, not raised: why this text has none.
        """
        if not self._batch.fill():
            return []
        finished: list[int] = []
        for number, hypotheses in self._batch.advance(self._meter):
            key, place = self._owners.pop(number)
            self._open[key].found[place] = hypotheses
            if None not in self._open[key].found:
                finished.append(key)
        return [*zip(finished, self._outputs([self._open.pop(key) for key in finished]), strict=True)]

    def _outputs(self, texts: list[_Open]) -> list[Output | ValueError]:
        if not texts:
            return []
        try:
            return [*self._model.outputs([one.asked for one in texts], [one.drawn for one in texts])]
        except ValueError as error:
            if len(texts) == 1:
                return [error]
        return [output for one in texts for output in self._outputs([one])]
