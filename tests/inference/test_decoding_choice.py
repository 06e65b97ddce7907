"""Texts are decoded as the job's recipe says, not as the export's recipe said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.evaluation.pairs import decode_held_out
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.records.shards import records_in
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow


def decoded(recipe: Recipe, **decoding: Any) -> Recipe:
    return recipe.model_copy(update={"decoding": recipe.decoding.model_copy(update=decoding)})


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("one\ntwo\n", encoding="utf-8")
    return path


def test_a_job_decodes_as_its_recipe_says(exported: TinyRun, prompts: Path, tmp_path: Path) -> None:
    assert exported.recipe.decoding.max_tokens == 12
    for most in (12, 3):
        recipe = decoded(exported.recipe, max_tokens=most, min_tokens=most)
        manifest = infer(recipe, exported.export, tmp_path / f"out-{most}", Silent(), input=prompts)
        assert manifest.facts["tokens"] == 2 * most


def test_what_was_decoded_in_another_way_is_not_taken_for_done(
    exported: TinyRun, prompts: Path, tmp_path: Path
) -> None:
    infer(exported.recipe, exported.export, tmp_path / "out", Silent(), input=prompts)
    with pytest.raises(UserError, match="out"):
        infer(decoded(exported.recipe, max_tokens=3), exported.export, tmp_path / "out", Silent(), input=prompts)


@pytest.mark.parametrize("exported", ["translate"], indirect=True)
def test_an_evaluation_decodes_as_its_recipe_says(exported: TinyRun) -> None:
    held_out = list(records_in(exported.records, "valid"))[:4]
    short, long = (
        decode_held_out(exported.export, held_out, decoded(exported.recipe, max_tokens=most, min_tokens=most))[0]
        for most in (1, 12)
    )
    assert all(len(one) < len(other) for one, other in zip(short, long, strict=True))


def test_a_model_beyond_the_engine_is_decoded_as_it_was_exported_or_not_at_all(
    prompts: Path, tmp_path: Path, recipe: Callable[..., Recipe]
) -> None:
    facts = {"batch": 4, "decoding": DecodingSection(temperature=0.5).model_dump(mode="json")}
    with publish(tmp_path / "export", "export", "beyond-the-engine") as draft:
        (draft.path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"decoding\.temperature was 0\.5 and is 1\.0.*Export it again") as caught:
        infer(recipe(), tmp_path / "export", tmp_path / "out", Silent(), input=prompts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_a_language_model_has_no_source_to_take_words_from(exported: TinyRun, prompts: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"decoding\.replace_unknown"):
        asked = decoded(exported.recipe, replace_unknown=True)
        infer(asked, exported.export, tmp_path / "out", Silent(), input=prompts)
