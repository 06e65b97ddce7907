"""Connected components against union-find and labels, in one task and in rounds."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.dedup.buckets import read_bucket
from lstmlm.corpus.dedup.components import buckets_of, components, joined
from lstmlm.corpus.dedup.search import EdgeFile

Edges = list[tuple[int, int]]


def union_find(edges: Edges) -> dict[int, int]:
    """Row in a pair -> the smallest row it is connected with, by the textbook."""
    parent = {row: row for edge in edges for row in edge}

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {row: root(row) for row in parent}


def in_rounds(folder: Path, edges: Edges, rows: int, files: int, width: int, at_once: int) -> dict[int, int]:
    """The same by `joined`, for the rows that are not the smallest."""
    found = []
    for number in range(files):
        path = folder / f"{number}.edges"
        some = np.array(edges[number::files], np.int64).reshape(-1, 2)
        some.tofile(path)
        found.append(EdgeFile(path, False, len(some)))
    buckets = buckets_of(rows, width)
    paths = joined(found, buckets, folder / "stars", None, at_once)
    every = range(buckets.count)
    pairs = {tuple(pair) for bucket in every for some in read_bucket(paths, bucket, buckets) for pair in some.tolist()}
    labels = {row: label for row, label in pairs if label < row}
    assert len(labels) == sum(label < row for row, label in pairs)  # one for each row
    return labels


def not_smallest(labels: dict[int, int]) -> dict[int, int]:
    return {row: label for row, label in labels.items() if row != label}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60))
def test_components_are_labelled_by_their_first_row(edges: Edges) -> None:
    rows, roots = components(np.array(edges, np.int64).reshape(-1, 2))
    assert dict(zip(rows.tolist(), roots.tolist(), strict=True)) == union_find(edges)


def test_long_chain_is_one_component() -> None:
    order = random.Random(1).sample(range(3000), 3000)
    rows, roots = components(np.stack([order[:-1], order[1:]], axis=1).astype(np.int64))
    assert rows.tolist() == list(range(3000))
    assert set(roots.tolist()) == {0}


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    """Random pairs, chains in any order, and stars around one row."""
    rows = st.integers(0, 59)
    edges = draw(st.lists(st.tuples(rows, rows), max_size=30))
    chain = draw(st.permutations(range(60)))[: draw(st.integers(0, 60))]
    edges += list(itertools.pairwise(chain))
    center = draw(rows)
    edges += [(center, row) for row in draw(st.lists(rows, max_size=30))]
    return [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]


@settings(max_examples=40, deadline=None)
@given(graphs(), st.integers(1, 4), st.sampled_from([7, 20, 60]), st.sampled_from([3, 10, 1000]))
def test_rounds_give_what_union_find_gives(
    tmp_path_factory: pytest.TempPathFactory, edges: Edges, files: int, width: int, at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("edges")
    assert in_rounds(folder, edges, 60, files, width, at_once) == not_smallest(union_find(edges))


def test_a_long_chain_and_a_row_with_half_of_the_others_in_rounds(tmp_path: Path) -> None:
    order = random.Random(2).sample(range(4000), 2000)
    chain = [(min(pair), max(pair)) for pair in itertools.pairwise(order)]
    star = [(min(17, row), max(17, row)) for row in range(4000, 8000)]
    edges = [*chain, *star]
    random.Random(3).shuffle(edges)
    found = in_rounds(tmp_path, edges, 8000, files=5, width=1000, at_once=64)
    assert found == not_smallest(union_find(edges))
    assert len(list((tmp_path / "stars").glob("*.json"))) < 40  # rounds: the square of the logarithm at most


def test_no_pairs_give_no_rows(tmp_path: Path) -> None:
    assert in_rounds(tmp_path, [], 10, 1, 5, 100) == {}
    assert in_rounds(tmp_path / "stars", [], 10, 1, 5, 100) == {}
