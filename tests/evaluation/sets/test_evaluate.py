"""An exported model is evaluated on any file, without its corpus and its recipe."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from lstmlm.cli.app import run
from lstmlm.errors import UserError
from lstmlm.evaluation.run import evaluate
from lstmlm.evaluation.sets.evaluate import evaluate_sets
from lstmlm.evaluation.sets.reading import read_set
from lstmlm.inference.model.stored import stored_recipe
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.records.shards import records_in
from lstmlm.task import load_task
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)


def held_out_file(made: TinyRun, path: Path, rows: Sequence[str] = ()) -> Path:
    """Writes the valid split as a file with the columns of the corpus, and further rows."""
    corpus = made.recipe.corpus
    lines = []
    for record in records_in(made.records, "valid"):
        pair = {corpus.target: record.targets[0]} if corpus.target is not None else {}
        lines.append(json.dumps({corpus.source: record.source, **pair}))
    path.write_text("".join(f"{line}\n" for line in [*lines, *rows]), encoding="utf-8")
    return path


def metrics_of(folder: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    return found


def test_a_file_with_the_valid_split_gives_its_metrics(exported: TinyRun, tmp_path: Path) -> None:
    evaluate(exported.recipe, exported.export, exported.records, tmp_path / "split", Silent())
    path = held_out_file(exported, tmp_path / "held.jsonl")
    evaluate_sets(exported.recipe, exported.export, [path], tmp_path / "file", Silent(), records=exported.records)
    assert metrics_of(tmp_path / "file") == pytest.approx(metrics_of(tmp_path / "split"), nan_ok=True)


def test_without_records_only_the_baselines_that_learn_are_left_out(exported: TinyRun, tmp_path: Path) -> None:
    path = held_out_file(exported, tmp_path / "held.jsonl")
    recipe = stored_recipe(exported.export)
    evaluate_sets(recipe, exported.export, [path], tmp_path / "file", Silent())
    missing = set(load_task(recipe.task).measured(recipe)) - set(metrics_of(tmp_path / "file"))
    counted = {"unigram_perplexity", "trigram_perplexity", "trigram_word_perplexity"}
    assert missing == (set() if exported.recipe.task == "translate" else counted)


@of_translate
def test_several_sets_in_one_run_from_the_command_line(
    exported: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news.tsv").write_text("en\tupper\nthe name\tTHE NAME\na class\tA CLASS\n", encoding="utf-8")
    held_out_file(exported, tmp_path / "held.jsonl")
    words = ["evaluate", "--export", str(exported.export), "--input", "news.tsv", "--input", "held.jsonl", "-o", "out"]
    assert run(words) == 0
    shown = capfd.readouterr().out
    assert "news.tsv: bleu" in shown
    assert {name.partition(": ")[0] for name in metrics_of(tmp_path / "out")} == {"news.tsv", "held.jsonl"}
    made = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
    assert run(words) == 0
    assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == made
    (tmp_path / "news.tsv").write_text("en\tupper\nthe name\tTHE NAME\n", encoding="utf-8")
    assert run(words) == 2  # another file: not the result that is there


@of_translate
def test_rows_that_are_no_records_are_counted_and_too_many_are_refused(exported: TinyRun, tmp_path: Path) -> None:
    path = held_out_file(exported, tmp_path / "held.jsonl", ['{"en": 3, "upper": "x"}'])
    recipe = stored_recipe(exported.export)
    few = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"max_dead_fraction": 0.5})})
    manifest = evaluate_sets(few, exported.export, [path], tmp_path / "few", Silent())
    assert manifest.facts["sets"][str(path)]["dead_letters"] == 1
    strict = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"max_dead_fraction": 0.0})})
    with pytest.raises(UserError, match=r"1 of \d+ rows cannot be evaluated; the first: column 'en' is not text"):
        read_set(path, strict)


@of_translate
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "absent.tsv"], "absent.tsv"),
        (["--input", "wrong.tsv"], "no column"),
        ([], "nothing to evaluate on"),
        (["--input", "good.tsv", "--input", "good.tsv"], "named twice"),
    ],
)
def test_a_mistake_is_one_line(
    exported: TinyRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.tsv").write_text("english\tupper\na\tA\n", encoding="utf-8")
    (tmp_path / "good.tsv").write_text("en\tupper\na\tA\n", encoding="utf-8")
    assert run(["evaluate", "--export", str(exported.export), *arguments, "-o", "out"]) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("lstmlm: ")]
    assert len(said) == 1
    assert message in said[0]
    assert not (tmp_path / "out").exists()


@of_translate
def test_an_export_s_recipe_imports_no_code(exported: TinyRun, tmp_path: Path) -> None:
    shutil.copytree(exported.export, tmp_path / "export")
    path = tmp_path / "export" / "model.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["recipe"]["corpus"] |= {"readers": ["evil:Reader"], "filters": [{"name": "evil:Filter", "options": {}}]}
    path.write_text(json.dumps(facts), encoding="utf-8")
    recipe = stored_recipe(tmp_path / "export")
    assert recipe.corpus.readers == ()
    assert recipe.corpus.filters == ()
    facts["recipe"]["task"] = "evil:Task"
    path.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(UserError, match="names the code 'evil:Task'"):
        stored_recipe(tmp_path / "export")
    assert read_manifest(exported.export).kind == "export"
