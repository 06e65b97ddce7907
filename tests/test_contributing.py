"""The worked examples of CONTRIBUTING.md run as they are written there."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from lstmlm.progress import Silent
from lstmlm.publish import read_manifest
from lstmlm.recipe import DecodingSection, load_recipe
from tests.tiny import PAIRS, TinyRun, untrained

pytestmark = pytest.mark.slow

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.\w+)`[^\n]*:\n\n```\w+\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files of the examples, from which Python imports."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in {name.removesuffix(".py").replace("/", ".") for name in FILES} | {"mine"}:
        sys.modules.pop(name, None)


def records(folder: Path, recipe: str) -> tuple[Path, dict[str, int]]:
    """Ingests three lines with a recipe; returns the records and the counts of what was dropped."""
    from lstmlm.corpus.ingest import ingest

    (folder / "texts.txt").write_text(
        "one two three four\nfar too short\none two three four five\n" * 9, encoding="utf-8"
    )
    manifest = ingest(load_recipe(folder / recipe), folder / "records", Silent())
    dropped: dict[str, int] = manifest.facts["counts"]["dropped"]
    return folder / "records", dropped


def test_add_a_task(example: Path, pair_stages: Path) -> None:
    from lstmlm.evaluation.run import evaluate
    from lstmlm.export import export
    from lstmlm.recipe import parse_recipe

    changes = ["task=mine.tasks:Respell", "task_options.ignore_case=true", f"corpus.root={pair_stages}"]
    recipe = parse_recipe(PAIRS, "respell", [*changes, f"output={example}", "decoding.max_tokens=12"])
    untrained(recipe, pair_stages / "tokenizer", example / "model")
    export(recipe, example / "model", pair_stages / "tokenizer", example / "export", Silent())
    evaluate(recipe, example / "export", pair_stages / "records", example / "evaluation", Silent())
    metrics = read_manifest(example / "evaluation", "evaluation").facts["metrics"]
    assert metrics == {"exact": 0.0, "copy_exact": 1.0}  # the targets are the sources in capitals


def test_add_a_filter(example: Path) -> None:
    assert records(example, "filtered.yaml")[1] == {"few_words": 9}


def test_add_a_reader(example: Path) -> None:
    from lstmlm.corpus.ingest import ingest
    from lstmlm.records.shards import records_in

    lines = [*(f"number {n} ||| nombre {n}" for n in range(40)), "", "a ||| b ||| c"]
    (example / "pairs.bitext.gz").write_bytes(gzip.compress("\n".join(lines).encode("utf-16")))
    manifest = ingest(load_recipe(example / "bitext.yaml"), example / "records", Silent())
    found = [record for split in ("train", "valid") for record in records_in(example / "records", split)]
    assert {(one.source, one.targets) for one in found} == {(f"number {n}", (f"nombre {n}",)) for n in range(40)}
    assert (manifest.facts["counts"]["dead"], manifest.facts["counts"]["dropped"]) == (1, {"blank": 1})


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_add_a_backend(example: Path, exported: TinyRun) -> None:
    from lstmlm.inference.model.loading import load_text_model

    texts, seeds = ["the statement", "a class"], [1, 2]
    own, built_in = (
        load_text_model(exported.export, decoding=DecodingSection(backend=name, precision="float32")).generate(
            texts, seeds
        )
        for name in ("mine.backends:OneThread", "tensorflow")
    )
    assert own == built_in


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_add_an_output_format(example: Path, exported: TinyRun) -> None:
    from lstmlm.inference.run import infer

    (example / "in.csv").write_text('text,note\n"the, statement",1\na class,2\n', encoding="utf-8")
    changes = {"format": "mine.outputs:Csv", "shards": 1}
    recipe = exported.recipe.model_copy(update={"inference": exported.recipe.inference.model_copy(update=changes)})
    infer(recipe, exported.export, example / "out", Silent(), input=example / "in.csv")
    with (example / "out" / "predictions-00000-of-00001.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["id", "source", "output", "note"]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("in.csv:2", "the, statement", "1"),
        ("in.csv:3", "a class", "2"),
    ]


def test_add_a_metric(example: Path, pair_stages: Path) -> None:
    from lstmlm.evaluation.run import evaluate
    from lstmlm.export import export
    from lstmlm.recipe import parse_recipe

    changes = ["evaluation.metrics=['mine.metrics:Exact', rouge]", f"corpus.root={pair_stages}", f"output={example}"]
    bounds = ["evaluation.thresholds.exact.min=0.5", "decoding.max_tokens=12"]
    recipe = parse_recipe(PAIRS, "pairs", [*changes, *bounds])
    untrained(recipe, pair_stages / "tokenizer", example / "model")
    export(recipe, example / "model", pair_stages / "tokenizer", example / "export", Silent())
    evaluate(recipe, example / "export", pair_stages / "records", example / "evaluation", Silent())
    verdict = read_manifest(example / "evaluation", "evaluation").facts
    assert {"bleu", "copy_bleu", "rouge_1", "lead_rouge_1", "exact", "copy_exact"} < {*verdict["metrics"]}
    assert verdict["metrics"]["exact"] == 0.0
    assert verdict["failures"] == ["exact is 0, below the minimum of 0.5"]


def test_add_a_stage(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lstmlm.cli.stages as commands
    from lstmlm.stages import STAGES

    monkeypatch.setitem(sys.modules, "lstmlm.corpus.lengths", importlib.import_module("lengths"))
    monkeypatch.setitem(STAGES, "lengths", importlib.import_module("row").LENGTHS)
    made, _ = records(example, "filtered.yaml")
    app = typer.Typer()
    commands.register(app)
    words = ["lengths", "filtered.yaml", "--records", str(made), "-o", "lengths"]
    app(args=words, standalone_mode=False)
    assert json.loads((example / "lengths" / "lengths.json").read_text(encoding="utf-8")).keys() == {"4", "5"}
    assert read_manifest(example / "lengths", "lengths").facts["records"] > 0
