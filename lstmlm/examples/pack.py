"""How token ids become training examples: windows of a stream, and pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lstmlm.tokenizer import Tokenizer


def pack_stream(documents: Iterable[list[int]], window: int, end: int) -> Iterator[list[int]]:
    """Cuts the stream *end* doc *end* doc *end* ... into windows.

    Windows overlap by one id, so inputs `w[:-1]` and targets `w[1:]` cover every id but the first as a target, once.

    Args:
        documents: Token ids of each document, in order.
        window: Targets of a window.
        end: The id that closes a document.

    Yields:
        `window + 1` ids each; the last may be shorter, with 2 at least.
    """
    pending = [end]
    for document in documents:
        pending += document
        pending.append(end)
        start = 0
        while len(pending) - start > window:
            yield pending[start : start + window + 1]
            start += window
        pending = pending[start:]
    if len(pending) > 1:
        yield pending


def encode_pair(
    source: Sequence[int], target: Sequence[int], max_source: int, max_target: int, counts: dict[str, int]
) -> dict[str, list[int]]:
    """Returns the features of a pair: `source` and `target`, each closed by *end*.

    Args:
        source: Token ids of the input text.
        target: Token ids of the output text.
        max_source: Ids kept of the source, *end* included.
        max_target: Ids kept of the target, *end* included.
        counts: `truncated_source` and `truncated_target` are raised where something was cut.
    """
    features = {}
    for name, ids, limit in (("source", source, max_source), ("target", target, max_target)):
        if len(ids) > limit - 1:
            counts[f"truncated_{name}"] = counts.get(f"truncated_{name}", 0) + 1
        features[name] = [*ids[: limit - 1], Tokenizer.END]
    return features
