"""Rule sets are refused where they do not fit the corpus that the recipe describes."""

from __future__ import annotations

from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.recipe.file import parse_recipe

RECIPE = "name: x\ntask: generate\ncorpus: {train: a.jsonl}\n"


def check(**corpus: Any) -> None:
    parse_recipe(RECIPE, "x.yaml", [f"corpus.{name}={value}" for name, value in corpus.items()])


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ({"quality": "[gopher]", "languages": "[fr, en]"}, "`gopher` are for English"),
        ({"quality": "[gopher]", "languages": "[zh, ko]"}, "`languages` has ko"),
        ({"quality": "[c4]", "languages": "[th]"}, "`c4` ask for marks at the ends of sentences"),
        ({"quality": "[fineweb]", "languages": "[en, lo]"}, "`fineweb` ask for marks at the ends of sentences"),
        ({"quality": "[c4]", "target": "fr"}, "would no longer match"),
    ],
)
def test_rules_that_do_not_fit_are_refused_in_one_line(corpus: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        check(**corpus)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_rules_that_fit_are_accepted() -> None:
    check(quality="[gopher, gopher_repetition, c4, fineweb]")
    check(quality="[gopher, gopher_repetition, c4, fineweb]", languages="[en]")
    check(quality="[gopher_repetition, c4, fineweb]", languages="[zh, ja, hi, ar, km]")
    check(quality="[gopher]", languages="[zh, en, th]")
    check(quality="[gopher_repetition, pairs]", languages="[th]", target="fr")
