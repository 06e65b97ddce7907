"""Examples of labelled texts: the tokens, and the numbers of the labels."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmlm.bases.labels.columns import labels_of, spans_of
from lstmlm.bases.labels.words import word_labels, word_places
from lstmlm.records.record import Record
from lstmlm.task import Feature
from lstmlm.tokenizer.rows import IdArray, TokenRows
from lstmlm.tokenizer.special import END

if TYPE_CHECKING:
    from lstmlm.task.values import Values
    from lstmlm.tokenizer import Tokenizer

FEATURES: Mapping[str, Mapping[str, Feature]] = {
    "one": {"tokens": Feature("tokens"), "label": Feature("int", ())},
    "many": {"tokens": Feature("tokens"), "label": Feature("int")},
    "tokens": {"tokens": Feature("tokens"), "first": Feature("int"), "label": Feature("int")},
}
"""What an example of each kind holds; see `lstmlm.models.labels.labelling`."""

UNSEEN, LOST, CUT = "unseen_label", "lost_spans", "truncated_source"
"""Counts: records left out because the train split has no such label; spans without a word of their own; cut texts."""

Counts = collections.Counter[str]


def labelled_examples(
    kind: str, blocks: Iterable[Sequence[Record]], tokenizer: Tokenizer, longest: int, counts: Counts
) -> Iterator[dict[str, Values]]:
    """Yields the examples of each block; see `Task.encode`.

    Args:
        kind: One of `FEATURES`.
        blocks: Consecutive records.
        tokenizer: The vocabulary and the labels.
        longest: Tokens kept of a text, *end* included.
        counts: Gets `examples`, `tokens` and the counts above added to.
    """
    numbers = {label: n for n, label in enumerate(tokenizer.labels)}
    for block in blocks:
        found = _of_words(block, tokenizer, numbers, longest, counts) if kind == "tokens" else {}
        found = found or _of_texts(kind, block, tokenizer, numbers, longest, counts)
        tokens = found["tokens"]
        assert isinstance(tokens, TokenRows)
        counts["examples"] += len(tokens)
        counts["tokens"] += tokens.tokens
        yield found


def _of_texts(
    kind: str, block: Sequence[Record], tokenizer: Tokenizer, numbers: Mapping[str, int], longest: int, counts: Counts
) -> dict[str, Values]:
    kept = [record for record in block if all(label in numbers for label in labels_of(record))]
    counts[UNSEEN] += len(block) - len(kept)
    tokens, cut = tokenizer.encode_closed([record.source for record in kept]).cut(longest)
    counts[CUT] += cut
    labels = [np.array([numbers[label] for label in labels_of(record)], np.int64) for record in kept]
    if kind == "one":
        return {"tokens": tokens, "label": np.array([one[0] for one in labels], np.int64)}
    return {"tokens": tokens, "label": labels}


def _of_words(
    block: Sequence[Record], tokenizer: Tokenizer, numbers: Mapping[str, int], longest: int, counts: Counts
) -> dict[str, Values]:
    ids, firsts, labels = [], [], []
    for record in block:
        places = word_places(record.source)
        names, lost = word_labels(places, spans_of(record))
        counts[LOST] += lost
        if not all(name in numbers for name in names):
            counts[UNSEEN] += 1
            continue
        tokens, first, cut = words_encoded(record.source, places, tokenizer, longest)
        counts[CUT] += bool(cut)
        ids.append(tokens)
        firsts.append(first)
        labels.append(np.array([numbers[name] for name in names[: len(first)]], np.int64))
    return {"tokens": TokenRows.joined(ids), "first": firsts, "label": labels}


def words_encoded(
    text: str, places: Sequence[tuple[int, int]], tokenizer: Tokenizer, longest: int
) -> tuple[IdArray, npt.NDArray[np.int64], int]:
    """Encodes a text word by word, as the exported model does (`GraphTokenizer.words`).

    Returns:
        The ids with *end* behind them, int32 [time]; the place of the first id of each word that is kept, int64
        [words]; and how many ids are not.
    """
    rows = tokenizer.encode_closed([text[start:end] for start, end in places]) if places else TokenRows.joined([])
    pieces = [rows.ids[start : end - 1] for start, end in zip(rows.starts, rows.ends, strict=True)]
    sizes = np.array([len(one) for one in pieces], np.int64)
    first = np.cumsum(sizes) - sizes
    ids = np.concatenate([*pieces, np.zeros(0, np.int32)])[: longest - 1]
    return np.append(ids, END).astype(np.int32), first[first < longest - 1], max(0, int(sizes.sum()) - (longest - 1))


def encoded_texts(kind: str, texts: Sequence[str], tokenizer: Tokenizer, longest: int) -> dict[str, list[Any]]:
    """Returns what the graph of ONNX reads of texts (see `lstmlm.decoding.onnx.labels`), and `cut` and `words`."""
    found: dict[str, list[Any]] = {name: [] for name in ("tokens", "length", "first", "cut", "words")}
    if kind != "tokens":
        whole = tokenizer.encode_closed(texts)
        sizes = (whole.ends - whole.starts).tolist()
        for ids, size in zip(whole.cut(longest)[0].to_lists(), sizes, strict=True):
            found["tokens"].append(np.array(ids, np.int64))
            found["cut"].append(max(0, size - longest))
    for text in texts if kind == "tokens" else ():
        places = word_places(text)
        tokens, first, cut = words_encoded(text, places, tokenizer, longest)
        found["tokens"].append(tokens.astype(np.int64))
        found["first"].append(first)
        found["cut"].append(cut)
        found["words"].append([text[start:end] for start, end in places[: len(first)]])
    found["length"] = [np.array(len(ids), np.int64) for ids in found["tokens"]]
    return {name: values for name, values in found.items() if values}
