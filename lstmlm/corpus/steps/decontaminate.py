"""Drops records that share a run of words with evaluation text (Brown et al. 2020, appendix C)."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.further import FurtherTexts, no_further_texts, with_owners
from lstmlm.corpus.steps.step import Filter
from lstmlm.corpus.wording.shingles import shingles
from lstmlm.corpus.wording.words import Hashes, Offsets
from lstmlm.records.record import Record
from lstmlm.storage import StorePath

REASON = "contaminated"
TALLY = "contaminated_by"

_TEXTS_AT_ONCE = 1000
_SLOTS = 1 << 26


@dataclasses.dataclass(frozen=True, slots=True)
class EvaluationIndex:
    """The runs of words of the evaluation texts.

    Attributes:
        hashes: `uint64[runs]`, ascending, each once.
        sources: `int32[runs]`: which text a run occurs in first.
        names: The texts' names, `file:line`.
        slots: `bool[a power of two]`, indexed by the first bits of a hash: False where no run begins with them.
    """

    hashes: Hashes
    sources: NDArray[np.int32]
    names: list[str]
    slots: NDArray[np.bool_]

    def find(self, hashes: Hashes) -> tuple[Offsets, NDArray[np.int32]]:
        """Returns the positions of the hashes that are in the index, and the source of each."""
        # Nearly all are not, and one look at the slots finds most of those.
        maybe = np.flatnonzero(self.slots[_slot(hashes, len(self.slots))])
        places = np.searchsorted(self.hashes, hashes[maybe])
        there = places < len(self.hashes)
        there[there] = self.hashes[places[there]] == hashes[maybe[there]]
        return maybe[there], self.sources[places[there]]


def write_index(folder: Path, texts: Iterable[tuple[str, str]], ngram: int) -> int:
    """Writes the index of evaluation texts, for `Decontaminate`, and returns how many runs of words it holds.

    Holds about 40 bytes a word in memory, and 13 in the files.

    Args:
        folder: Where the files go; made here.
        texts: Name (`file:line`) and text; the source of a record, and its targets under the same name.
        ngram: Words of a run; signs between them do not count. A shorter text is one run: only a record of the very
            same words and signs meets it.
    """
    names: list[str] = []
    parts: list[Hashes] = []
    sources: list[NDArray[np.int32]] = []
    for batch in _batches(texts):
        hashes, offsets = shingles([text for _, text in batch], ngram, signs=False)
        unique, first = np.unique(hashes, return_index=True)
        parts.append(unique)
        sources.append((np.searchsorted(offsets, first, side="right") - 1 + len(names)).astype(np.int32))
        names.extend(name for name, _ in batch)
    unique, first = np.unique(np.concatenate([np.empty(0, np.uint64), *parts]), return_index=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("hashes", unique), ("sources", np.concatenate([np.empty(0, np.int32), *sources])[first])):
        with (folder / f"{name}.npy").open("wb") as stream:
            np.save(stream, array)
    (folder / "names.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    return len(unique)


def _batches(texts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    stream = iter(texts)
    while batch := list(itertools.islice(stream, _TEXTS_AT_ONCE)):
        yield batch


def read_index(folder: Path) -> EvaluationIndex:
    """Maps the index that `write_index` wrote into memory: workers of a machine share its pages."""
    hashes, sources = (_array(folder / f"{name}.npy") for name in ("hashes", "sources"))
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    slots = np.zeros(min(1 << (8 * max(len(hashes), 1)).bit_length(), _SLOTS), np.bool_)
    slots[_slot(hashes, len(slots))] = True
    return EvaluationIndex(hashes, sources, names, slots)


def _array(path: Path) -> NDArray[Any]:
    if not isinstance(path, StorePath):
        return np.load(path, "r", allow_pickle=False)
    with path.open("rb") as stream:
        return np.load(stream, allow_pickle=False)


def _slot(hashes: Hashes, slots: int) -> Hashes:
    return hashes >> np.uint64(65 - slots.bit_length())


class Decontaminate(Filter):
    """Drops records to train on that share a run of words with an evaluation text, and says which one they met.

    The reason is `contaminated`, its detail the name of the evaluation text; the tally `contaminated_by` counts records
    by that name.
    """

    only_train = True

    def __init__(self, folder: Path, ngram: int, further: FurtherTexts = no_further_texts) -> None:
        self._folder, self._ngram, self._further = folder, ngram, further
        self._index: EvaluationIndex | None = None

    def setup(self) -> None:
        """See `Step`."""
        self._index = self._index or read_index(self._folder)

    def meets(self, records: Sequence[Record]) -> list[str | None]:
        """Returns, for each record, the name of the first evaluation text it meets, or None.

        Shorter texts than a run are compared whole, but not as targets: a short target, such as the name of a class,
        occurs in evaluation text legitimately.
        """
        self.setup()
        assert self._index is not None
        met: list[str | None] = [None] * len(records)
        owners = np.repeat(np.arange(len(records)), [len(record.targets) for record in records])
        targets = [target for record in records for target in record.targets]
        sources = [record.source for record in records]
        others, of = with_owners(records, self._further)
        # Targets first: what a source meets replaces it.
        for texts, owner, whole in (
            (targets, owners, False),
            (others, np.array(of, np.int64), True),
            (sources, np.arange(len(records)), True),
        ):
            hashes, offsets = shingles(texts, self._ngram, whole=whole, signs=False)
            positions, evaluation = self._index.find(hashes)
            text = np.searchsorted(offsets, positions, side="right") - 1
            # In reverse, so that the first run of a text is the one that is kept.
            for record, source in zip(owner[text][::-1].tolist(), evaluation[::-1].tolist(), strict=True):
                met[record] = self._index.names[source]
        return met

    def reasons(self, records: Sequence[Record]) -> list[str | None]:
        """See `Filter`."""
        return [None if name is None else REASON for name in self.meets(records)]

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        met = self.meets(block.records)
        kept = block.without([None if name is None else REASON for name in met], met)
        return kept.tallied(TALLY, collections.Counter(name for name in met if name is not None))
