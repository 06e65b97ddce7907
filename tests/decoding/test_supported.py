"""Which models can be decoded in which way, as a recipe is checked."""

from __future__ import annotations

import pytest

from lstmlm.decoding.supported import check_decoding
from lstmlm.errors import UserError
from lstmlm.recipe.file import parse_recipe

RECIPE = "name: x\ntask: summarize\ncorpus: {train: a.tsv, source: text, target: title}\n"
BEAM = ("decoding.method=beam", "decoding.no_repeat_ngram=3", "decoding.min_tokens=4")


@pytest.mark.parametrize("fields", [("pointer",), ("coverage",), ("pointer", "coverage")])
def test_models_that_copy_and_cover_have_beams_and_constraints(fields: tuple[str, ...]) -> None:
    check_decoding(parse_recipe(RECIPE, "x.yaml", [*BEAM, *(f"model.{field}=true" for field in fields)]))


@pytest.mark.parametrize("setting", ["model.input_feeding=true", "model.residual=true", "model.attention=bahdanau"])
def test_models_beyond_the_engine_have_not(setting: str) -> None:
    with pytest.raises(UserError, match=r"decoding\.method: models with \w+: \w+ are decoded only greedily") as caught:
        check_decoding(parse_recipe(RECIPE, "x.yaml", [*BEAM, setting]))
    assert "\n" not in str(caught.value)


def test_a_coverage_loss_needs_coverage() -> None:
    with pytest.raises(UserError, match=r"training\.coverage_loss needs model\.coverage\. Set it"):
        parse_recipe(RECIPE, "x.yaml", ["training.coverage_loss=0.5"])
    parse_recipe(RECIPE, "x.yaml", ["training.coverage_loss=0.5", "model.coverage=true"])
