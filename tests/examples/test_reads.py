"""What a worker reads of the shards: the bytes of its own rows, as late as it can."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.examples import streams as module
from lstmlm.examples.dataset import pairs, windows
from lstmlm.examples.failures import mistake_in
from lstmlm.examples.index import IndexBuilder
from lstmlm.examples.serialise import int64_examples
from lstmlm.examples.streams import streams
from lstmlm.records.tfrecord import write_records
from lstmlm.task import Share
from lstmlm.tokenizer.rows import TokenRows

pytestmark = pytest.mark.slow

WINDOW, PER_SHARD = 8, 400
Reads = list[tuple[int, int]]


def write(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Writes 4 shards of examples whose features all have `WINDOW + 1` ids."""
    files = [folder / f"data-{number:05d}-of-00004.tfrecord" for number in range(4)]
    rng = np.random.default_rng(1)
    for file in files:
        ids = rng.integers(1, 100, [PER_SHARD, WINDOW + 1]).astype(np.int32)
        rows, builder = dict.fromkeys(names, TokenRows.joined(list(ids))), IndexBuilder()
        payloads = int64_examples(rows)
        builder.add(payloads, rows)
        write_records(file, payloads)
        builder.write(file)
    return files


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Every read of a shard: bytes, and offset."""
    found: Reads = []
    pread = os.pread

    def counted(file: int, size: int, offset: int) -> bytes:
        found.append((size, offset))
        return pread(file, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    return found


@pytest.mark.parametrize("kind", ["windows", "streams", "pairs"])
def test_one_of_four_workers_reads_a_fourth(tmp_path: Path, reads: Reads, kind: str) -> None:
    files = write(tmp_path, ("source", "target") if kind == "pairs" else ("tokens",))
    share = Share(1, 4)
    if kind == "windows":
        dataset = windows(files, 8, WINDOW, seed=1, epoch=0, share=share)
    elif kind == "streams":
        dataset = streams(files, 8, WINDOW, seed=1, epoch=0, share=share)
    else:
        dataset = pairs(files, 160, (10,), seed=1, epoch=0, share=share)
    assert len(list(dataset)) == 4 * PER_SHARD // 8
    total = sum(file.stat().st_size for file in files)
    assert 0.9 * total / 4 < sum(size for size, _ in reads) < 1.1 * total / 4


@pytest.mark.parametrize("kind", ["windows", "streams"])
def test_the_first_batch_waits_for_no_other(tmp_path: Path, reads: Reads, kind: str) -> None:
    files = write(tmp_path, ("tokens",))
    dataset = (windows if kind == "windows" else streams)(files, 2, WINDOW, seed=1, epoch=0)
    iterator = iter(dataset)
    next(iterator)
    # Two rows, read ahead by READ_AHEAD windows, or a window each of the few batches that are kept ready.
    most = 2 * (module.READ_AHEAD + 2) * 200
    assert sum(size for size, _ in reads) < most < sum(file.stat().st_size for file in files) / 4


def test_a_shard_that_is_missing_in_the_middle_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_AHEAD", 1)
    files = write(tmp_path, ("tokens",))
    iterator = iter(streams(files, 1, WINDOW, seed=1, epoch=None))
    next(iterator)
    files[2].unlink()
    with pytest.raises(tf.errors.UnknownError) as caught:
        for _ in iterator:
            pass
    mistake = mistake_in(caught.value)
    assert mistake is not None
    assert str(mistake).startswith(f"{files[2]}: a file of the examples cannot be read: No such file or directory. ")


def test_an_error_of_another_kind_is_no_mistake() -> None:
    assert mistake_in(RuntimeError("out of memory")) is None
