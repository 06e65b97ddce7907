"""Splits corpus files into ranges; segments of a large file are counted in parallel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apache_beam as beam

from lstmlm.corpus.reading.ranges import RANGE_BYTES, Beginning, FileRange, Segment, ranges
from lstmlm.corpus.reading.readers import beginnings, segments
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.recipe.sections.corpus import CorpusSection


class SplitFiles(beam.PTransform):
    """Takes `CorpusFile`s, gives their `FileRange`s, spread over the workers."""

    def __init__(self, corpus: CorpusSection, range_bytes: int = RANGE_BYTES) -> None:
        """Makes the transform.

        Args:
            corpus: The recipe's section.
            range_bytes: About how large a range is.
        """
        super().__init__()
        self._corpus, self._range_bytes = corpus, range_bytes

    def expand(self, files: beam.PCollection) -> beam.PCollection:
        """See the class."""
        return (
            files
            | "Cut" >> beam.FlatMap(segments, self._corpus, self._range_bytes)
            | "Spread segments" >> beam.Reshuffle()
            | "Count lines" >> beam.Map(_beginnings, self._range_bytes)
            | "By file" >> beam.GroupByKey()
            | "Align" >> beam.FlatMapTuple(_ranges)
            | "Spread ranges" >> beam.Reshuffle()
        )


def _beginnings(segment: Segment, range_bytes: int) -> tuple[int, tuple[CorpusFile, list[Beginning]]]:
    return segment.file.index, (segment.file, beginnings(segment, range_bytes))


def _ranges(_: int, found: Iterable[tuple[CorpusFile, list[Beginning]]]) -> Iterator[FileRange]:
    pairs = list(found)
    return ranges(pairs[0][0], [beginning for _, begun in pairs for beginning in begun])
