"""Dead letters and messages of the batch job do not quote personal data where the recipe has `corpus.privacy`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Privacy

MakeRecipe = Callable[..., Recipe]


def private(run: Recipe, **privacy: object) -> Recipe:
    section = Privacy.model_validate({"kinds": ["email"], **privacy})
    return run.model_copy(update={"corpus": run.corpus.model_copy(update={"privacy": section})})


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    rows = [
        {"id": "1", "text": "good"},
        {"id": "ann@example.org", "text": "POISON"},
        {"id": "2", "bob@example.com": "x"},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_dead_letters(
    shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEY", raising=False)  # where a model is applied, the key of its corpus is not needed
    run = private(recipe(id="id", max_dead_fraction=0.9), action="pseudonym", key="KEY")
    infer(run, shouter, tmp_path / "out", Silent(), input=lines)
    letters = [json.loads(line) for line in (tmp_path / "out/dead_letters.jsonl").read_text().splitlines()]
    assert [(letter["line"], letter["id"]) for letter in letters] == [(2, "<EMAIL>"), (3, "2")]
    assert "<EMAIL>" in letters[1]["reason"]
    plain = recipe(id="id", max_dead_fraction=0.9)
    infer(plain, shouter, tmp_path / "plain", Silent(), input=lines)
    assert "ann@example.org" in (tmp_path / "plain/dead_letters.jsonl").read_text()


def test_messages(shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe) -> None:
    lines.write_text(lines.read_text().splitlines()[1] + "\n" + lines.read_text())
    with pytest.raises(UserError) as caught:
        infer(private(recipe(id="id", max_dead_fraction=0.9)), shouter, tmp_path / "out", Silent(), input=lines)
    assert "ann@example.org" not in str(caught.value)
    assert "<EMAIL>" in str(caught.value)
