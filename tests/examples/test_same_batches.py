"""Batches are, byte for byte, those that were made before shards had an index: earlier recipes give the same weights.

The digests were recorded with the code of commit ac1a7b7, which read whole shards in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmlm.examples import dataset
from lstmlm.examples.dataset import bucketed, pairs, windows
from lstmlm.examples.index import IndexBuilder
from lstmlm.examples.serialise import serialized_examples
from lstmlm.examples.streams import streams
from lstmlm.records.tfrecord import write_records
from lstmlm.task import Feature, Share
from lstmlm.tokenizer.rows import TokenRows

pytestmark = pytest.mark.slow

BUCKETS = (4, 9, 16)
FRAMES = {"frames": Feature("float", (None, 3)), "tokens": Feature("tokens"), "label": Feature("int", ())}
FIXED = {"vector": Feature("float", (4,)), "label": Feature("int", ())}
EPOCHS = (None, 0, 1)
RECORDED = (150, 0, 411, 37, 16, 1, 203)

Shards = list[Path]

SMALL = {
    "windows": ["a761df1118f3dc79", "fb07511ab583251e", "53ff3f0458dd5dcf"],
    "streams": ["bd65dfc38b844e4b", "29fe0192a8773570", "00bfcb2a41ac207e"],
    "streams, a row": ["3922557c7f709f38", "5f6ccb5577317b63", "e847be23991a5593"],
    "pairs": ["5d856a95ba43e70e", "caac2256178b8ddd", "ced5fbbfa3985a4b"],
    "recordings": ["42bf0bce1f46faa3", "e5896f4011008c77", "714794f3bddd8d8b"],
    "vectors": ["c804b39633de5223", "6169cbd6a8e625e6", "66cf8ec0fe450bd3"],
}

WHOLE = {
    "windows": ["a761df1118f3dc79", "124e0c75ce7f9d61", "734835dad37032a7"],
    "streams": ["bd65dfc38b844e4b", "29fe0192a8773570", "00bfcb2a41ac207e"],
    "streams, a row": ["3922557c7f709f38", "5f6ccb5577317b63", "e847be23991a5593"],
    "pairs": ["5d856a95ba43e70e", "c6a94d311faa6c2b", "0e2aee36dfd298aa"],
    "recordings": ["42bf0bce1f46faa3", "f24aed87da6b8bce", "bd9eca74c879f10b"],
    "vectors": ["c804b39633de5223", "d6e1c4e87081ebfc", "91a67e2e10b9ed54"],
}

LONG = ["eac068a5396ed618", "9a16418d73db402e", "4ef922ef78832c7e"]


def ids(rng: np.random.Generator, lengths: np.ndarray[Any, Any]) -> TokenRows:
    return TokenRows.joined([rng.integers(1, 300, length).astype(np.int32) for length in lengths])


def write(folder: Path, sizes: tuple[int, ...], columns: Callable[[int], dict[str, Any]], *, indexed: bool) -> Shards:
    files = []
    for number, size in enumerate(sizes):
        files.append(folder / f"data-{number:05d}-of-{len(sizes):05d}.tfrecord")
        features = columns(size) if size else {}
        payloads, index = serialized_examples(features) if size else [], IndexBuilder()
        index.add(payloads, features)
        write_records(files[-1], payloads)
        if indexed:
            index.write(files[-1])
    return files


def text_of(rng: np.random.Generator) -> Callable[[int], dict[str, Any]]:
    return lambda size: {"tokens": ids(rng, np.array([6] * (size - 1) + [3]))}


def written(folder: Path, sizes: tuple[int, ...], *, indexed: bool) -> dict[str, Shards]:
    """Writes shards of so many examples of each kind."""
    rng = np.random.default_rng(7)

    def sentences(size: int) -> dict[str, Any]:
        return {name: ids(rng, rng.integers(1, 17, size)) for name in ("source", "target")}

    def recordings(size: int) -> dict[str, Any]:
        lengths = rng.integers(1, 17, size)
        frames = [rng.random((length, 3), np.float32) for length in lengths]
        return {"frames": frames, "tokens": ids(rng, rng.integers(0, 9, size)), "label": np.arange(size)}

    def vectors(size: int) -> dict[str, Any]:
        return {"vector": rng.random((size, 4), np.float32), "label": np.arange(size)}

    made = {"text": text_of(rng), "sentences": sentences, "recordings": recordings, "vectors": vectors}
    found = {}
    for name, columns in made.items():
        (folder / name).mkdir()
        found[name] = write(folder / name, sizes, columns, indexed=indexed)
    if sizes == RECORDED:
        (folder / "long").mkdir()
        found["long"] = write(folder / "long", (9_000, 4_321, 11_111), text_of(rng), indexed=indexed)
    return found


@pytest.fixture(scope="module", params=["with an index", pytest.param("without", marks=pytest.mark.slow)])
def corpora(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Shards]:
    """What the digests were recorded of."""
    return written(tmp_path_factory.mktemp("recorded"), RECORDED, indexed=request.param == "with an index")


@pytest.fixture(scope="module", params=["with an index", "without"])
def few(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Shards]:
    return written(tmp_path_factory.mktemp("few"), (30, 0, 61, 7, 1), indexed=request.param == "with an index")


def digest(batches: Any) -> str:
    found = hashlib.sha256()
    for batch in batches.as_numpy_iterator():
        for name in sorted(batch):
            found.update(f"{name} {batch[name].dtype} {batch[name].shape}".encode())
            found.update(np.ascontiguousarray(batch[name]).tobytes())
    return found.hexdigest()[:16]


def digests(corpora: dict[str, Shards]) -> dict[str, list[str]]:
    """Returns the digests of each kind of batches, one for each epoch."""

    def of(files: Shards, features: dict[str, Feature]) -> Callable[[int | None], Any]:
        return lambda epoch: bucketed(files, features, BUCKETS, [6, 4, 2], seed=3, epoch=epoch)

    kinds: dict[str, Callable[[int | None], Any]] = {
        "windows": lambda epoch: windows(corpora["text"], 8, 5, seed=3, epoch=epoch),
        "streams": lambda epoch: streams(corpora["text"], 8, 5, seed=3, epoch=epoch),
        "streams, a row": lambda epoch: streams(corpora["text"], 1, 7, seed=4, epoch=epoch),
        "pairs": lambda epoch: pairs(corpora["sentences"], 64, BUCKETS, seed=3, epoch=epoch),
        "recordings": of(corpora["recordings"], FRAMES),
        "vectors": of(corpora["vectors"], FIXED),
    }
    return {name: [digest(kind(epoch)) for epoch in EPOCHS] for name, kind in kinds.items()}


def test_batches_of_small_buffers(corpora: dict[str, Shards], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "WINDOW_BUFFER", 100)
    monkeypatch.setattr(dataset, "PAIR_BUFFER", 150)
    assert digests(corpora) == SMALL


def test_batches_of_one_buffer(corpora: dict[str, Shards]) -> None:
    assert digests(corpora) == WHOLE


def test_batches_of_more_windows_than_a_buffer(corpora: dict[str, Shards]) -> None:
    found = [digest(windows(corpora["long"], 32, 5, seed=5, epoch=epoch)) for epoch in EPOCHS]
    assert found == LONG


def parts(files: Shards, kind: str, share: Share, epoch: int | None, first: int = 0) -> list[dict[str, Any]]:
    if kind == "text":
        found = windows(files, 7, 5, seed=3, epoch=epoch, first=first, share=share)
    elif kind == "streams":
        found = streams(files, 7, 5, seed=3, epoch=epoch, first=first, share=share)
    elif kind == "sentences":
        found = pairs(files, 64, BUCKETS, seed=3, epoch=epoch, first=first, share=share)
    else:
        found = bucketed(files, FRAMES, BUCKETS, [6, 4, 2], seed=3, epoch=epoch, first=first, share=share)
    return list(found.as_numpy_iterator())


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", ["text", "streams", "sentences", "recordings"])
@pytest.mark.parametrize(("world", "slices"), [pytest.param(3, 1, marks=pytest.mark.slow), (2, 3), (9, 1)])
def test_the_shares_of_workers_are_the_whole_batch(
    few: dict[str, Shards], monkeypatch: pytest.MonkeyPatch, kind: str, world: int, slices: int
) -> None:
    """And a later start gives the later batches."""
    monkeypatch.setattr(dataset, "WINDOW_BUFFER", 20)
    monkeypatch.setattr(dataset, "PAIR_BUFFER", 40)
    files = few["text" if kind == "streams" else kind]
    whole = parts(files, kind, Share(), 1)
    shares = [parts(files, kind, Share(rank, world, slices), 1) for rank in range(world)]
    for batch, *own in zip(whole, *shares, strict=True):
        together = {name: np.concatenate([part[name] for part in own]) for name in batch}
        rows = len(next(iter(batch.values())))
        assert equal({name: values[:rows] for name, values in together.items()}, batch)
        assert not any(values[rows:].any() for values in together.values())
    for later in (1, 7, len(whole)):
        assert all(map(equal, parts(files, kind, Share(1, world, slices), 1, later), shares[1][later:]))
        assert len(parts(files, kind, Share(), None, later)) == len(parts(files, kind, Share(), None)) - later
