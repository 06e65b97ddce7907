"""Every step of the corpus takes time in proportion to a text's length, whatever the text."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.adversarial import seconds
from benchmarks.adversarial_steps import STEPS
from benchmarks.adversarial_texts import MB, TEXTS

LENGTH, TIMES = 8_000, 4
"""A text is taken at this length, and so many times as long."""

QUICK = 0.4
"""Seconds within which the longer one may be through without a comparison: quadratic code that matters takes longer."""

MOST = 10.0
"""Times as long as the shorter text that the longer one may take: linear code takes 4, quadratic code 16."""

pytestmark = pytest.mark.slow

UNITS = "a1 .,:;-_/\\@#&%+=?!()[]{}<>\"'\n\r\t\x01\xa0éßﬁÃ©\u0301\u0327\u200d中。ก้अा٣３＠😀"


@functools.cache
def made(name: str) -> Callable[[str], object]:
    step = STEPS[name]()
    step("a short text, for what is loaded at first use")
    return step


def taken(step: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    step(text)
    return time.process_time() - started


def check_growth(name: str, text: Callable[[int], str]) -> None:
    step = made(name)
    longer = taken(step, text(TIMES * LENGTH))
    if longer < QUICK:
        return
    # The shortest of several, for other processes disturb.
    longer = min(longer, *(taken(step, text(TIMES * LENGTH)) for _ in range(2)))
    shorter = min(taken(step, text(LENGTH)) for _ in range(3))
    assert longer < QUICK or longer < MOST * shorter, f"{name}: {shorter:.2f} s, then {longer:.2f} s"


@pytest.mark.parametrize("name", [name for name in STEPS if not name.startswith("privacy ")])
def test_time_grows_with_the_length_and_no_more(name: str) -> None:
    for text in TEXTS.values():
        check_growth(name, text)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=UNITS, min_size=1, max_size=10), st.text(alphabet=UNITS, max_size=12))
def test_time_grows_with_any_pattern(unit: str, end: str) -> None:
    for name in ("normalise", "quality c4", "quality gopher_repetition", "privacy, all kinds", "keys of copies"):
        check_growth(name, lambda size: unit * (size // len(unit)) + end)


@pytest.mark.parametrize("name", STEPS)
def test_a_long_text_takes_seconds(name: str) -> None:
    """In a child process: code that is quadratic in the length cannot meet the limit, and need not be waited for."""
    found = dict(seconds(name, MB // 4, limit=20.0))
    assert found.keys() == TEXTS.keys()
    assert {text: taken for text, taken in found.items() if taken == float("inf")} == {}
