"""The step of the corpus pipeline that replaces personal data in every text of a record."""

from __future__ import annotations

import collections

from lstmlm.corpus.block import Block
from lstmlm.corpus.privacy.find import Finder
from lstmlm.corpus.privacy.presidio import Presidio
from lstmlm.corpus.privacy.replace import replacement_of
from lstmlm.corpus.privacy.scrubber import Scrubber
from lstmlm.corpus.step import Step
from lstmlm.recipe_corpus import Privacy


class Scrub(Step):
    """Replaces personal data in source and targets, and counts it per kind under `privacy`.

    The key of pseudonyms does not travel with the step: each worker reads it from its own environment.

    Args:
        privacy: Kinds, regions and what stands in their place.
        presidio: Finds names and addresses in place of an installed Presidio.

    Raises:
        UserError: A region is unknown, the key is missing, or Presidio is asked for and not installed.
    """

    def __init__(self, privacy: Privacy, presidio: Presidio | None = None) -> None:
        self._privacy = privacy
        self._presidio = presidio
        self._scrubber: Scrubber | None = None
        self.setup()

    def setup(self) -> None:
        """See `Step`."""
        if self._scrubber is None:
            finder = Finder(self._privacy.kinds, self._privacy.regions, self._presidio)
            self._scrubber = Scrubber(finder, replacement_of(self._privacy))

    def __getstate__(self) -> dict[str, object]:
        """Leaves the key, and models, out of what is sent to workers."""
        return self.__dict__ | {"_scrubber": None}

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        self.setup()
        assert self._scrubber is not None
        counts: collections.Counter[str] = collections.Counter()
        records = self._scrubber.records(block.records, counts)
        return block.with_records(records).tallied("privacy", counts) if counts else block
