"""Every step takes linear time, whatever the text: one hostile document must not stop a worker."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmlm.corpus.dedup.keys import block_keys
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.report.summary import repeated_lines, summarise
from lstmlm.corpus.steps.decontaminate import Decontaminate, write_index
from lstmlm.corpus.steps.language import KeepLanguages
from lstmlm.corpus.steps.normalise import Normalise
from lstmlm.corpus.steps.quality.rule_set import RULE_SETS
from lstmlm.corpus.steps.quality.step import Quality
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import Record

SMALL, TIMES = 8_000, 8
MOST = 3 * TIMES
"""Growth of the time that is allowed where the text grows by `TIMES`; quadratic steps take `TIMES ** 2`."""
LEAST = 0.01
"""Seconds; shorter ones are not compared."""

pytestmark = pytest.mark.slow

# Beginning, repeated part, end.
HOSTILE: dict[str, tuple[str, str, str]] = {
    "one word": ("", "x", ""),
    "line feeds": ("", "\n", ""),
    "short lines": ("", "a\n\n", ""),
    "spaces": ("a", " ", "a"),
    "control characters": ("", "\x00\n", ""),
    "combining marks out of order": ("a", "\u0301\u0323", ""),
    "marks over many letters": ("", "a\u0301\u0323\u0300", ""),
    "nested entities": ("&", "amp;", "lt;"),
    "entities that make up others": ("&" * 4000, "#97;mp;", ""),
    "semicolons": ("&", ";", ""),
    "damaged lines": ("", "voilÃ \n", ""),
    "damaged words": ("日", "Ã© a ", ""),
    "full stops": ("This is a line of words ", ".", "a."),
    "full stop and quotes": ("This is a line of words ", '."', "a."),
    "open brackets": ("This is a line of words ", "[1", "."),
    "digits in a bracket": ("This is a line of words [", "1", "."),
    "words of 1000 letters": ("", "x" * 1000 + " ", "."),
    "hyphens": ("", "-", ""),
    "contractions": ("", "n't ", ""),
    "an address": ("http://", "a/", ""),
    "numbers": ("", "- 1.5", ""),
    "emoji": ("", "👩\u200d", ""),
    "joiners": ("", "\u200c", ""),
    "Chinese": ("", "的一是不了人我在有他这", ""),
    "Thai": ("", "กินข้าว", ""),
    "Hangul in parts": ("", "\u1112\u1161\u11ab", ""),
    "Turkish": ("", "İI ı ", ""),
    "terminal escapes": ("", "\x1b[", "m"),
    "braces": ("", "{", ""),
}

STEPS: dict[str, Callable[[Block], object]] = {
    "normalise": Normalise(),
    "language": KeepLanguages(["en"]),
    "keys": lambda block: block_keys(block.records, Duplicates(exact=True, near=0.8), 1),
    "summary": lambda block: summarise(block, {}, {}),
    "repeated lines": lambda block: repeated_lines(block.records),
    **{name: Quality([name]) for name in RULE_SETS.builtin()},
}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Block], object]]:
    """Every step on blocks of one record, warmed up."""
    folder = tmp_path_factory.mktemp("index")
    write_index(folder, [("e:1", "a text to compare with " * 20)], 13)
    found = {**STEPS, "decontaminate": Decontaminate(folder, 13)}
    for step in found.values():
        seconds(step, "Some words, é and 的; to warm up.\nVoilÃ  &amp; done.")
    return found


def seconds(step: Callable[[Block], object], text: str) -> float:
    block = Block(0, 0, 1, [Record("1", text, (text[::-1],))])
    started = time.process_time()
    step(block)
    return time.process_time() - started


def assert_linear(step: Callable[[Block], object], begin: str, part: str, end: str) -> None:
    small, large = (begin + part * (size // len(part)) + end for size in (SMALL, TIMES * SMALL))
    spent = seconds(step, large)
    if spent > MOST * LEAST:
        # The first measurement may be of a busy machine, not of the step.
        growth = min(seconds(step, large) / max(seconds(step, small), LEAST) for _ in range(3))
        assert growth < MOST, f"{TIMES} times the text takes {growth:.0f} times as long"


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text(steps: dict[str, Callable[[Block], object]], name: str) -> None:
    for step in steps.values():
        assert_linear(step, *HOSTILE[name])


PARTS = st.sampled_from(
    [*"aZ1 .,;&#<>[](){}\"'-_/:+%\n\t\xa0éß", "\u0301", "\u0323", "\u200d", "的", "ก", "Ã", "©", "amp;"]
)
UNITS = st.lists(PARTS, min_size=1, max_size=5).map("".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begin=UNITS, part=UNITS, end=UNITS)
def test_time_grows_with_any_repeated_text(
    steps: dict[str, Callable[[Block], object]], begin: str, part: str, end: str
) -> None:
    for step in steps.values():
        assert_linear(step, begin, part, end)
