"""Packs token ids into training examples: windows of a stream, and pairs."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lstmlm.tokenizer.rows import IdArray, TokenRows


def pack_stream(documents: Iterable[IdArray], window: int, end: int) -> Iterator[TokenRows]:
    """Cuts the stream *end* doc *end* doc *end* ... into windows.

    Windows overlap by one id, so inputs `w[:-1]` and targets `w[1:]` cover every id but the first as a target, once.

    Args:
        documents: Token ids, int32 [any], of consecutive documents, each closed by *end*; an array may hold many.
        window: Targets of a window.
        end: The id that closes a document.

    Yields:
        Windows of `window + 1` ids; the last of all may be shorter, with 2 at least. No more than an array of
        documents and a window are held.
    """
    pending = np.array([end], np.int32)
    for ids in documents:
        stream = np.concatenate([pending, ids])
        starts = np.arange((len(stream) - 1) // window, dtype=np.int64) * window
        if len(starts):
            yield TokenRows(stream, starts, starts + window + 1)
        pending = stream[len(starts) * window :]
    if len(pending) > 1:
        yield TokenRows.joined([pending])


def cut_pairs(
    sources: TokenRows,
    targets: TokenRows,
    times: Sequence[int],
    max_source: int,
    max_target: int,
    counts: collections.Counter[str],
) -> dict[str, TokenRows]:
    """Returns the features `source` and `target`, one row of each for every target.

    Args:
        sources: A row for each record, closed by *end*.
        targets: The targets of all records, in order, each closed by *end*.
        times: How many targets each record has.
        max_source: Ids kept of a source, *end* included.
        max_target: Ids kept of a target, *end* included.
        counts: `truncated_source` and `truncated_target` get the rows added that were cut.
    """
    features = {}
    for name, rows, limit in (("source", sources.repeated(times), max_source), ("target", targets, max_target)):
        features[name], cut = rows.cut(limit)
        counts[f"truncated_{name}"] += cut
    return features
