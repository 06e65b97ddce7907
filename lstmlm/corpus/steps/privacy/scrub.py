"""The step of the corpus pipeline that replaces personal data in every text of a block."""

from __future__ import annotations

import collections
import dataclasses

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.published import scrubbed
from lstmlm.corpus.steps.privacy.replace import replacement_of
from lstmlm.corpus.steps.privacy.scrubber import REMOVED, UNSETTLED, Scrubber
from lstmlm.corpus.steps.step import Step
from lstmlm.recipe.sections.corpus import Privacy

UNSETTLED_REASON = "privacy_unsettled"


class Scrub(Step):
    """Replaces personal data in source and targets, and counts it per kind under `privacy`.

    It is the last step (`lstmlm.corpus.steps.chain`), so what the others dropped is scrubbed too: messages of dead
    rows always, excluded records where they are written. Their finds are counted under `privacy_in_exclusions`. A text
    that still holds something after many rounds drops its record (`privacy_unsettled`).

    Attributes:
        scrubs_exclusions: Whether the excluded records are published.

    The key of pseudonyms does not travel with the step: each worker reads it from its own environment.

    Args:
        privacy: Kinds, regions and replacement.
        exclusions: Whether the excluded records are published.

    Raises:
        UserError: A region is unknown, the key is missing, or what a kind needs is not installed.
    """

    def __init__(self, privacy: Privacy, *, exclusions: bool = False) -> None:
        self._privacy = privacy
        self.scrubs_exclusions = exclusions
        self._scrubber: Scrubber | None = None
        self.setup()

    def setup(self) -> None:
        """See `Step`."""
        if self._scrubber is None:
            finder = Finder(self._privacy.kinds, self._privacy.regions)
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
        block = block.with_records(records).tallied("privacy", counts) if counts else block
        if counts[UNSETTLED]:
            gone = [REMOVED in record.texts() for record in records]
            block = block.without([UNSETTLED_REASON if is_gone else None for is_gone in gone])
        if block.dead:
            block = dataclasses.replace(block, dead=scrubbed(block.dead, self._scrubber))
        return self._without_traces(block, self._scrubber) if block.excluded and self.scrubs_exclusions else block

    def _without_traces(self, block: Block, scrubber: Scrubber) -> Block:
        """Scrubs the records that were dropped."""
        counts: collections.Counter[str] = collections.Counter()
        records = scrubber.records([gone.record for gone in block.excluded], counts)
        details = [scrubbed(gone.detail, scrubber) for gone in block.excluded]
        rows = zip(block.excluded, records, details, strict=True)
        excluded = [dataclasses.replace(gone, record=record, detail=detail) for gone, record, detail in rows]
        return dataclasses.replace(block, excluded=excluded).tallied("privacy_in_exclusions", counts)
