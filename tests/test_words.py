"""The check of words reports each listed word by file and line, and checks files of every kind."""

from __future__ import annotations

import pytest

from tests.words import LIST, ROOT, faults, files, rules

RULES = rules((ROOT / LIST).read_text())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x\nFaults are told here", [2]),
        ("def test_what_is_told() -> None:", [1]),
        ("A job goes\non, and\n# goes\n# on", [1, 3]),
        ("Pareto, a stand-alone program, untold", []),
        ("stream.tell()", []),
        ("", []),
    ],
)
def test_listed_words_are_found_by_line(text: str, lines: list[int]) -> None:
    found = sorted(faults("a.py", text, RULES))
    assert [line.split(":")[:2] for line in found] == [["a.py", str(number)] for number in lines]


def test_a_fault_names_the_word_and_the_better_one() -> None:
    assert [*faults("a.md", "it shall be", RULES)] == ["a.md:1: 'shall': write will, should"]


def test_files_of_every_kind_are_checked() -> None:
    names = {str(path.relative_to(ROOT)) for path in files(ROOT)}
    assert {"README.md", "Makefile", "lstmlm/errors.py", "docs/recipe.md", "pipelines/recipes/demo.yaml"} <= names
    assert LIST not in names
