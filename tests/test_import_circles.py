"""The import contract on circles finds one, and prints its modules in the order of the imports."""

from __future__ import annotations

import itertools

import grimp
import pytest

from tests.import_circles import NoCircles, circle


def graph(*imports: tuple[str, str]) -> grimp.ImportGraph:
    made = grimp.ImportGraph()
    for importer, imported in imports:
        made.add_import(importer=importer, imported=imported)
    return made


def check(made: grimp.ImportGraph) -> list[str]:
    found: list[str] = NoCircles("no circles", {}, {}).check(made, verbose=False).metadata["circle"]
    return found


def test_imports_without_a_circle() -> None:
    assert check(graph(("a", "b"), ("a", "c"), ("b", "c"), ("p.one", "p"), ("p.one", "p.two"))) == []


def test_a_circle_over_modules() -> None:
    found = check(graph(("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")))
    assert found[0] == found[-1]
    assert {*itertools.pairwise(found)} == {("a", "b"), ("b", "c"), ("c", "a")}


def test_a_circle_over_the_package_of_a_module() -> None:
    """`other` imports `p.light`, which imports `p` first, and `p` imports `p.heavy`, which imports `other`."""
    made = graph(("other", "p.light"), ("p", "p.heavy"), ("p.heavy", "other"))
    assert set(check(made)) == {"other", "p", "p.heavy"}


@pytest.mark.parametrize("imports", [{}, {"a": set()}, {"a": {"b"}}])
def test_no_circle(imports: dict[str, set[str]]) -> None:
    assert circle(imports) == []
