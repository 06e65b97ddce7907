"""Pre-trained vectors as an earlier model: which rows they fill, and that training starts from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.models.parts import TABLE
from lstmlm.models.weights import read_arrays
from lstmlm.progress import Silent
from lstmlm.publish.manifest import Manifest, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer
from lstmlm.training.initial.take import taken
from lstmlm.training.initial.vectors import make_vectors, pieces_of, read_vectors


def line(word: str, vector: np.ndarray) -> str:
    return " ".join([word, *(f"{value:.6f}" for value in vector)])


def made(recipe: Recipe, stages: Path, tmp_path: Path, lines: list[str]) -> Manifest:
    path = tmp_path / "vectors.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return make_vectors(recipe, stages / "tokenizer", tmp_path / "vectors", Silent(), input=path)


def test_words_of_the_file_get_their_vectors_and_training_starts_there(
    recipe: Recipe, stages: Path, tmp_path: Path
) -> None:
    words = Tokenizer(stages / "tokenizer" / "tokenizer.model")
    places = pieces_of(words)
    draws = np.random.default_rng(1)
    some = [word for word in places if word.isalpha() and word.islower() and len(word) > 1][:40]
    vectors = {word: draws.normal(3, 2, recipe.model.embedding) for word in [*some, "nosuchwordhere"]}
    lines = [f"{len(vectors)} {recipe.model.embedding}", *(line(*item) for item in vectors.items()), "short 1 2", "x y"]
    manifest = made(recipe, stages, tmp_path, lines)
    assert (manifest.facts["lines"], manifest.facts["damaged"], manifest.facts["pieces"]) == (41, 2, words.size)
    table = read_arrays(tmp_path / "vectors" / "weights.npz")[TABLE]
    network = load_task(recipe.task).build(recipe, words.size)
    start = network.named_variables()[TABLE].numpy()
    filled = sorted({number for word in some for number in places[word]})
    capitals = [number for word in places if word.lower() in some for number in places[word]]
    others = np.setdiff1d(np.arange(words.size), [*filled, *capitals])
    assert np.array_equal(table[others], start[others])
    # Only moved and scaled: differences between words keep their directions.
    first, second, third = (places[word][0] for word in some[:3])
    given = [vectors[some[0]] - vectors[some[1]], vectors[some[0]] - vectors[some[2]]]
    kept = [table[first] - table[second], table[first] - table[third]]
    scales = [np.linalg.norm(b) / np.linalg.norm(a) for a, b in zip(given, kept, strict=True)]
    assert scales[0] == pytest.approx(scales[1], rel=1e-4)
    assert np.allclose(kept[0], given[0] * scales[0], atol=1e-5)
    assert table[filled].std() == pytest.approx(start.std(), rel=0.05)
    # As `training.initial` takes it.
    content = recipe.model_dump()
    content["training"]["initial"] = {"model": tmp_path / "vectors", "parts": ["embedding"]}
    found = taken(Recipe.model_validate(content), stages / "tokenizer", network)
    assert found.keys() == {TABLE}
    assert np.array_equal(found[TABLE], table)
    assert read_manifest(tmp_path / "vectors").kind == "model"


def test_a_word_with_spaces_a_file_without_a_header_and_the_first_of_two(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("the 1 2 3\n. . . 4 5 6\nthe 7 8 9\nbad 1 nan 3\nbad 1 2\n", encoding="utf-8")
    found = read_vectors(path, {"the", ". . .", "bad"})
    assert {word: vector.tolist() for word, vector in found.vectors.items()} == {"the": [1, 2, 3], ". . .": [4, 5, 6]}
    assert (found.size, found.lines, found.damaged) == (3, 3, 2)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["nothing here"], "its first line has no word and numbers"),
        (["the 1 2 3"], r"its vectors have 3 numbers, and the embedding 16\. Set model\.embedding=3"),
        ([line("nosuchwordhere", np.ones(16))], "it has no word of the vocabulary"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    lines: list[str], message: str, recipe: Recipe, stages: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        made(recipe, stages, tmp_path, lines)
