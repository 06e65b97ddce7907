"""An earlier model of a vocabulary that has grown since: its rows stay, new pieces get the mean of their parts'."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import publish
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer.growth import Growth, write_growth
from lstmlm.training.initial.take import taken
from tests.tiny import RECIPE, untrained

SIZE = 600


@pytest.fixture
def earlier(stages: Path, tmp_path: Path) -> Path:
    """A model of the tiny vocabulary."""
    untrained(recipe_of(stages), stages / "tokenizer", tmp_path / "earlier")
    return tmp_path / "earlier"


@pytest.fixture
def grown(stages: Path, tmp_path: Path) -> Path:
    """A vocabulary that grew from it by two pieces; only its size matters here."""
    manifest = json.loads((stages / "tokenizer/manifest.json").read_text())
    old = manifest["files"]["tokenizer.model"]["sha256"]
    with publish(tmp_path / "grown", "tokenizer", "grown") as draft:
        (draft.path / "tokenizer.model").write_bytes(b"larger")
        write_growth(Growth({old: SIZE}, [[5, 6], [7, SIZE]]), draft.path)
        draft.facts = {"vocabulary": SIZE + 2}
    return tmp_path / "grown"


def recipe_of(stages: Path, *changes: str) -> Recipe:
    return parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", *changes])


def test_old_rows_stay_and_new_ones_are_drawn_from_them(stages: Path, earlier: Path, grown: Path) -> None:
    recipe = recipe_of(stages, f"training.initial={earlier}", "seed=5")
    network = load_task("generate").build(recipe, SIZE + 2)
    found = taken(recipe, grown, network)
    with np.load(earlier / "weights.npz") as before:
        table = before["embedding|table"]
        np.testing.assert_array_equal(found["embedding/table"][:SIZE], table)
        first = (table[5] + table[6]) / 2
        np.testing.assert_allclose(found["embedding/table"][SIZE:], [first, (table[7] + first) / 2], rtol=1e-6)
        np.testing.assert_array_equal(found["layer_0/kernel"], before["layer_0|kernel"])
    assert found["embedding/bias"].shape == (SIZE + 2,)


def test_another_vocabulary_is_refused_and_both_are_named(stages: Path, earlier: Path, tmp_path: Path) -> None:
    with publish(tmp_path / "other", "tokenizer", "other") as draft:
        (draft.path / "tokenizer.model").write_bytes(b"other")
        draft.facts = {"vocabulary": SIZE}
    recipe = recipe_of(stages, f"training.initial={earlier}")
    network = load_task("generate").build(recipe, SIZE)
    with pytest.raises(
        UserError, match=r"weights in .*earlier were made with vocabulary \w+, and the tokenizer is \w+"
    ):
        taken(recipe, tmp_path / "other", network)


def test_clusters_of_an_adaptive_softmax_may_not_move(stages: Path, tmp_path: Path, grown: Path) -> None:
    untrained(recipe_of(stages, "model.softmax=adaptive"), stages / "tokenizer", tmp_path / "earlier")
    wide = ["model.softmax=adaptive", f"training.initial={tmp_path / 'earlier'}"]
    recipe = recipe_of(stages, *wide)
    network = load_task("generate").build(recipe, SIZE + 2)
    with pytest.raises(
        UserError, match=r"begin at \[75, 300\], and those of this recipe at \[75, 301\]\. Set model\.cut"
    ):
        taken(recipe, grown, network)
    recipe = recipe_of(stages, *wide, "model.cutoffs=[75, 300]")
    assert taken(recipe, grown, load_task("generate").build(recipe, SIZE + 2))["embedding/clusters"].shape == (2, 16)
