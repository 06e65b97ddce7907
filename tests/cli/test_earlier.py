"""What a recipe says of earlier models and vocabularies is checked before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmlm.checks.needs import EARLIER, TOKENIZER
from lstmlm.checks.recipe import checked_recipe
from lstmlm.errors import UserError
from lstmlm.publish.folder import publish

RECIPE = "name: a\ntask: generate\ncorpus: {train: a.txt}\nmodel: {units: 32}\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe, and next to it `earlier`, a model of 24 units."""
    said = {"recipe": {"task": "generate", "model": {"units": 24}}, "vocabulary": 8000}
    with publish(tmp_path / "earlier", "model", "earlier") as draft:
        (draft.path / "model.json").write_text(json.dumps(said))
        (draft.path / "weights.npz").write_bytes(b"")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("training.initial=EARLIER", "training.initial: another network than that of .*: model.units was 24 and is 32"),
        ("training.initial=absent", "training.initial: absent: no manifest.json here"),
        (
            "training.initial={model: EARLIER, parts: [layers], backward: absent}",
            "training.initial: absent: no manifest",
        ),
        ("tokenizer.grows=absent", "tokenizer.grows: absent is not there"),
    ],
)
def test_a_fault_is_a_line(recipe: Path, change: str, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        checked_recipe(recipe, [change.replace("EARLIER", str(recipe.parent / "earlier"))], (EARLIER, TOKENIZER))
    assert "\n" not in str(caught.value)


def test_what_fits_and_the_last_blessed_model_are_no_faults(recipe: Path) -> None:
    earlier = recipe.parent / "earlier"
    assert checked_recipe(recipe, [f"training.initial={earlier}", "model.units=24"], (EARLIER,)).training.initial
    assert checked_recipe(recipe, [f"training.initial={{model: {earlier}, parts: [embedding]}}"], (EARLIER,))
    assert checked_recipe(recipe, ["training.initial=last_blessed"], (EARLIER,))
