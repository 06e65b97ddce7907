"""Examples in a store: the batches of the same on a disk, from the middle of an epoch, for one of two workers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from faulty_store import faulty

from lstmlm.examples import indexed, rows
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import shard_files
from lstmlm.storage import StorePath
from lstmlm.storage.clients import forget
from lstmlm.task import Share, load_task
from tests.stores import uploaded

pytestmark = pytest.mark.slow


def batches(recipe: Recipe, folder: Path, **how: Any) -> list[dict[str, Any]]:
    found = load_task(recipe.task).batches(shard_files(folder, "train"), recipe, **how)
    return [{name: values.numpy() for name, values in batch.items()} for batch in itertools.islice(found, 60)]


def same(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> bool:
    return len(first) == len(second) > 0 and all(
        one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)
        for one, two in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("how", [{"epoch": 0}, {"epoch": 2, "first": 2}, {"epoch": None}])
@pytest.mark.parametrize("carried", [True, False])
def test_windows_and_streams(
    recipe: Recipe, stages: Path, bucket: StorePath, how: dict[str, Any], carried: bool
) -> None:
    training = recipe.training.model_copy(update={"carry_state": carried})
    run = recipe.model_copy(update={"training": training})
    there = uploaded(stages / "examples", bucket / "examples")
    assert same(batches(run, there, **how), batches(run, stages / "examples", **how))


@pytest.mark.parametrize("held", [indexed.HELD_BYTES, 100])
def test_pairs_by_blocks_and_by_exact_ranges(
    pair_recipe: Recipe, pair_stages: Path, bucket: StorePath, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "HELD_BYTES", held)
    there = uploaded(pair_stages / "examples", bucket / "examples")
    for share in (Share(0, 2, 1), Share(1, 2, 1)):
        found = batches(pair_recipe, there, epoch=1, share=share)
        assert same(found, batches(pair_recipe, pair_stages / "examples", epoch=1, share=share))


def test_a_store_with_faults(
    pair_recipe: Recipe, pair_stages: Path, bucket: StorePath, store_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = uploaded(pair_stages / "examples", bucket / "examples")
    monkeypatch.setattr(indexed, "HELD_BYTES", 100)
    with faulty(store_server, refused=0.1, reset=0.02, cut=0.05) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        found = batches(pair_recipe, there, epoch=0)
        assert sum(proxy.faults.values()) > 3
    assert same(found, batches(pair_recipe, pair_stages / "examples", epoch=0))


def test_a_shard_of_another_content_is_refused(recipe: Recipe, stages: Path, bucket: StorePath) -> None:
    there = uploaded(stages / "examples", bucket / "examples")
    shard = shard_files(there, "train")[0]
    changed = bytearray(shard.read_bytes())
    changed[40] ^= 1
    shard.write_bytes(bytes(changed))
    with pytest.raises(tf.errors.UnknownError, match=r"checksum|does not match|does not fit"):
        batches(recipe, there, epoch=None)


def test_batches_are_read_before_they_are_asked_for(
    pair_recipe: Recipe, pair_stages: Path, bucket: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    plain = rows.read_ahead
    monkeypatch.setattr(rows, "read_ahead", lambda reader, some: (begun.append(len(some)), plain(reader, some))[1])
    there = uploaded(pair_stages / "examples", bucket / "examples")
    found = load_task("translate").batches(shard_files(there, "train"), pair_recipe, epoch=0)
    next(iter(found))
    assert len(begun) > 8
