"""Ranges of objects: the bytes that are there, whatever the store does meanwhile, within a bound of memory."""

from __future__ import annotations

import random
from typing import Any

import pytest
from faulty_store import faulty

from lstmlm.errors import UserError
from lstmlm.storage import StorePath
from lstmlm.storage.clients import forget
from lstmlm.storage.ranges import Ranges

CONTENT = random.Random(3).randbytes(300_007)


@pytest.fixture
def stored(bucket: StorePath) -> StorePath:
    (bucket / "some").write_bytes(CONTENT)
    return bucket / "some"


@pytest.mark.parametrize("block", [0, 4096, 65_536, 1 << 20])
@pytest.mark.parametrize("held", [1, 100_000, 1 << 20])
def test_ranges_hold_the_bytes_of_the_object(stored: StorePath, block: int, held: int) -> None:
    ranges, drawn = Ranges(block, held), random.Random(block + held)
    for _ in range(40):
        start, size = drawn.randrange(len(CONTENT) + 10), drawn.randrange(70_000)
        if drawn.random() < 0.5:
            ranges.ahead(stored, start, size)
        assert ranges.read(stored, start, size) == CONTENT[start : start + size]


def test_what_is_kept_is_not_asked_for_again(stored: StorePath, store_server: str, monkeypatch: Any) -> None:
    with faulty(store_server, counted=0.0) as proxy:
        asked: list[str] = []
        plain = proxy.ask
        proxy.ask = lambda method, *more: (asked.append(method), plain(method, *more))[1]  # type: ignore[method-assign]
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        ranges = Ranges(4096)
        for start in range(0, 40_960, 512):
            assert ranges.read(stored, start, 512) == CONTENT[start : start + 512]
        assert asked.count("GET") == 10


def test_a_store_with_faults_gives_the_same_bytes(stored: StorePath, store_server: str, monkeypatch: Any) -> None:
    with faulty(store_server, refused=0.1, reset=0.05, cut=0.1) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        ranges = Ranges(8192)
        ranges.ahead(stored, 0, len(CONTENT))
        assert ranges.read(stored, 0, len(CONTENT)) == CONTENT
        assert sum(proxy.faults.values()) > 3


def test_an_object_that_changes_is_reported(stored: StorePath) -> None:
    ranges = Ranges(4096)
    assert ranges.read(stored, 0, 10) == CONTENT[:10]
    stored.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match=r"some.*changed while it was read"):
        ranges.read(stored, 100_000, 10)


def test_an_object_that_is_not_there_is_not_there(bucket: StorePath) -> None:
    with pytest.raises(FileNotFoundError):
        Ranges().read(bucket / "none", 0, 10)
