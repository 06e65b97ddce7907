"""`lstmlm plan` at the command line, where rates are known from before; and the table that a run shows."""

from __future__ import annotations

import dataclasses
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmlm.cli.console import Screen, StageRow
from lstmlm.cli.logs import Terminal
from lstmlm.cli.planning.shown import show_plan_and_fact
from lstmlm.planning.estimate import StagePlan
from lstmlm.planning.fact import FACT, PLAN, write_plan
from lstmlm.planning.probe import rates_key
from lstmlm.planning.rates import write_rates
from lstmlm.recipe.file import load_recipe
from tests.conftest import Lstmlm
from tests.planning.test_estimate import RATES
from tests.planning.test_estimate import recipe as recipe_of

pytestmark = pytest.mark.slow

RECIPE = """
name: pairs
task: translate
corpus: {train: pairs.tsv, source: en, target: fr, valid_fraction: 0.1, shards: 8}
training: {steps: 1000, evaluate_every: 300, warmup: 10}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows = "".join(f"text number {n}\ttexte numéro {n}\n" for n in range(500))
    (tmp_path / "pairs.tsv").write_text("en\tfr\n" + rows, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "recipe.yaml"


def planned(shown: str) -> dict[str, dict[str, Any]]:
    return {row["stage"]: row for row in json.loads(shown)["rows"]}


def test_a_plan_grows_with_what_is_asked_for(recipe: Path, lstmlm: Lstmlm) -> None:
    loaded = load_recipe(recipe)
    write_rates(dataclasses.replace(RATES, key=rates_key(loaded)), recipe.parent / "runs" / "pairs")
    found = []
    for records in (10_000, 20_000):
        done = lstmlm("--json", "plan", recipe.name, "--records", records, "--workers", 1, cwd=recipe.parent)
        assert done.returncode == 0, done.stderr
        found.append(planned(done.stdout))
    few = found[0]
    assert [*few] == ["ingest", "tokenizer", "examples", "train", "export", "evaluate", "infer", "all"]
    assert [one["ingest"]["records"] for one in found] == [10_000, 20_000]
    assert [one["examples"]["MB"] for one in found] == [0.24, 0.48]
    assert [one["train"]["records"] for one in found] == [1000, 1000]  # steps
    assert [one["ingest"]["files"] for one in found] == [20, 20]


def test_a_plan_of_the_recipe_is_kept_and_one_of_other_numbers_is_not(recipe: Path, lstmlm: Lstmlm) -> None:
    folder = recipe.parent / "runs" / "pairs"
    write_rates(dataclasses.replace(RATES, key=rates_key(load_recipe(recipe))), folder)
    for more, kept in ((["--records", "10000"], False), ([], True), (["--workers", "9"], True)):
        done = lstmlm("--json", "plan", recipe.name, *more, cwd=recipe.parent)
        assert done.returncode == 0, done.stderr
        assert (folder / PLAN).exists() == kept
    (ingest, *_) = json.loads((folder / PLAN).read_text())["stages"]
    assert (ingest["stage"], ingest["records"]) == ("ingest", 500)


def test_rows_of_compressed_files_have_to_be_given(recipe: Path, lstmlm: Lstmlm) -> None:
    packed = recipe.with_name("pairs.tsv.gz")
    packed.write_bytes(gzip.compress(recipe.with_name("pairs.tsv").read_bytes()))
    done = lstmlm("plan", recipe.name, "--set", "corpus.train=pairs.tsv.gz", cwd=recipe.parent)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line == (
        "lstmlm: how many rows compressed files have is not known before they are read. "
        "Give --records and --bytes, of the files as they are when read"
    )


def test_a_run_shows_what_it_took_next_to_its_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = recipe_of(output=tmp_path)
    write_plan([StagePlan("ingest", 10, 3, 2_000_000, 4, 0, 12.0)], run, RATES)
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "shard").write_bytes(b"x" * 1_000_000)
    rows = [
        StageRow("ingest", cached=False, seconds=15.0, artifact=tmp_path / "records"),
        StageRow("examples", cached=True, seconds=0.1, artifact=tmp_path / "records"),
    ]
    with Screen(Terminal(sys.stdout, sys.stderr)) as screen:
        show_plan_and_fact(screen, rows, run)
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines() if line.startswith("ingest")] == [
        ["ingest", "12", "15", "3", "1", "2", "1"]
    ]
    assert [one["stage"] for one in json.loads((run.run_folder / FACT).read_text())["stages"]] == ["ingest"]
