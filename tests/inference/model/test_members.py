"""Ensembles of exports: the batch job, Python and the command line decode with all of them; misfits are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import lstmlm
from lstmlm.errors import UserError
from lstmlm.export import export
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from tests.conftest import Lstmlm
from tests.tiny import TinyRun, untrained

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "a name of a class", "if", "the statement is executed"]
of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    return Recipe.model_validate(recipe.model_dump(mode="json", exclude_defaults=True) | changes)


def another(run: TinyRun, folder: Path, tokenizer: Path | None = None, **changes: Any) -> Path:
    """Publishes a further model, with other weights; returns its export."""
    recipe, words = changed(run.recipe, seed=77, **changes), tokenizer or run.records.parent / "tokenizer"
    untrained(recipe, words, folder / "model")
    export(recipe, folder / "model", words, folder / "export", Silent())
    return folder / "export"


def outputs(folder: Path) -> list[str]:
    files = sorted(folder.glob("predictions-*.jsonl"))
    return [json.loads(line)["output"] for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    return tmp_path / "in.txt"


def test_a_job_decodes_with_all_models(exported: TinyRun, tmp_path: Path, texts: Path) -> None:
    other = another(exported, tmp_path / "other", model={"embedding": 12, "units": 20, "encoder_units": 8})
    found = {}
    for name, models in {"one": [], "twice": [exported.export], "both": [other], "three": [other] * 2}.items():
        recipe = changed(exported.recipe, inference={"models": [*map(str, models)]})
        infer(recipe, exported.export, tmp_path / name, Silent(), input=texts)
        found[name] = outputs(tmp_path / name)
    assert found["twice"] == found["one"]
    assert found["both"] != found["one"]
    call = "translate" if exported.recipe.task == "translate" else "generate"
    model = lstmlm.load([exported.export, other], decoding={"max_tokens": 12})
    assert [one.text for one in getattr(model, call)(TEXTS)] == found["both"]
    recipe = changed(exported.recipe, inference={"models": [str(other)] * 2})
    with pytest.raises(UserError, match="not empty"):  # another ensemble is another result
        infer(recipe, exported.export, tmp_path / "both", Silent(), input=texts)


@of_translate
def test_the_evaluation_measures_what_the_ensemble_writes(exported: TinyRun, tmp_path: Path) -> None:
    from lstmlm.evaluation.pairs import decode_held_out
    from lstmlm.records.shards import records_in

    other = another(exported, tmp_path / "other")
    recipe = changed(exported.recipe, inference={"models": [str(other)]})
    written, _, sources = decode_held_out(exported.export, [*records_in(exported.records, "valid")], recipe)
    model = lstmlm.load([exported.export, other], decoding={"max_tokens": 12})
    assert written == [one.text for one in model.translate(sources)]
    task = load_task("translate")
    assert task.decoding_stamp(recipe) != task.decoding_stamp(exported.recipe)


@of_translate
def test_models_of_other_vocabularies_and_tasks_are_refused(
    exported: TinyRun, tmp_path: Path, texts: Path, stages: Path
) -> None:
    from lstmlm.vocabulary.stage import train_tokenizer

    smaller = changed(exported.recipe, tokenizer={"vocabulary": 400})
    train_tokenizer(smaller, exported.records, tmp_path / "words", Silent())
    other = another(exported, tmp_path / "other", tmp_path / "words")
    digests = [
        json.loads((folder / "manifest.json").read_text())["files"]["tokenizer.model"]["sha256"][:12]
        for folder in (other, exported.export)
    ]
    with pytest.raises(UserError, match=f"one vocabulary: .* has {digests[0]}, and .* has {digests[1]}") as caught:
        lstmlm.load([exported.export, other])
    assert len(str(caught.value).splitlines()) == 1
    words = exported.records.parent / "tokenizer"
    prose = another(
        TinyRun(changed(exported.recipe, task="generate"), exported.records, exported.export), tmp_path / "prose", words
    )
    recipe = changed(exported.recipe, inference={"models": [str(prose)]})
    with pytest.raises(UserError, match=re.escape("of task `generate` (forward), and ")):
        infer(recipe, exported.export, tmp_path / "out", Silent(), input=texts)
    recipe = changed(exported.recipe, inference={"models": [str(tmp_path / "absent")]})
    with pytest.raises(UserError, match="absent"):
        infer(recipe, exported.export, tmp_path / "out", Silent(), input=texts)
    assert not (tmp_path / "out").exists()


@of_translate
def test_the_command_line_takes_several_exports(exported: TinyRun, tmp_path: Path, texts: Path, lstmlm: Lstmlm) -> None:
    other = another(exported, tmp_path / "other")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(exported.recipe.model_dump_json(exclude_defaults=True), encoding="utf-8")
    done = lstmlm(
        "infer", recipe, "--export", exported.export, "--export", other, "--input", texts, "-o", tmp_path / "out"
    )
    assert done.returncode == 0, done.stderr
    run = changed(exported.recipe, inference={"models": [str(other)]})
    infer(run, exported.export, tmp_path / "same", Silent(), input=texts)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "same")
