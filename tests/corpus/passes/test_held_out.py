"""The hash split."""

from __future__ import annotations

from lstmlm.corpus.passes.held_out import split_of

IDS = [f"a.txt:{line}" for line in range(20_000)]


def test_share_is_about_the_fraction() -> None:
    valid = sum(split_of(name, 1, 0.1) == "valid" for name in IDS)
    assert 1800 < valid < 2200


def test_depends_on_only_seed_and_id() -> None:
    first = [split_of(name, 1, 0.5) for name in IDS[:100]]
    assert first == [split_of(name, 1, 0.5) for name in IDS[:100]]
    assert first != [split_of(name, 2, 0.5) for name in IDS[:100]]


def test_extremes() -> None:
    assert {split_of(name, 1, 0.0) for name in IDS[:1000]} == {"train"}
    assert {split_of(name, 1, 1.0) for name in IDS[:1000]} == {"valid"}


def test_larger_fraction_only_adds_to_valid() -> None:
    small = {name for name in IDS[:2000] if split_of(name, 1, 0.1) == "valid"}
    assert small < {name for name in IDS[:2000] if split_of(name, 1, 0.2) == "valid"}
