"""After a run, its plan is compared with what it took, and the rates are corrected by that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.planning.estimate import Load, plan
from lstmlm.planning.fact import FACT, PLAN, Took, compare, write_plan
from lstmlm.planning.rates import FILE, read_rates, write_rates
from tests.planning.test_estimate import RATES, recipe

LOAD = Load(records=10_000, bytes=1_000_000, workers=1)


def took(folder: Path, stage: str, seconds: float, sizes: list[int]) -> Took:
    for n, size in enumerate(sizes):
        (folder / stage / "Split").mkdir(parents=True, exist_ok=True)
        (folder / stage / "Split" / f"{n}").write_bytes(b"x" * size)
    return Took(stage, seconds, folder / stage)


def test_plan_and_fact_are_written_and_the_next_plan_goes_by_the_fact(tmp_path: Path) -> None:
    run = recipe(output=tmp_path)
    folder = run.run_folder
    write_rates(RATES, folder)
    assert read_rates(folder, "k") == RATES
    assert read_rates(folder, "of another recipe") is None
    write_plan(plan(run, RATES, LOAD), run, RATES)
    (train, ingest) = compare(
        run,
        [took(tmp_path, "train", 571.6, [10, 20]), took(tmp_path, "ingest", 2.0, [5]), Took("push", 1, tmp_path)],
    )
    assert (train.stage, train.files, train.bytes, train.planned_files) == ("train", 2, 30, 5)
    assert train.planned_seconds == pytest.approx(285.8)
    assert (ingest.seconds, ingest.files) == (2.0, 1)
    written = json.loads((folder / FACT).read_text())["stages"]
    assert [one["stage"] for one in written] == ["train", "ingest"]
    corrected = read_rates(folder)
    assert corrected is not None
    assert corrected.source == "run"
    after = {one.stage: one.seconds for one in plan(run, corrected, LOAD)}
    assert after["train"] == pytest.approx(571.6)
    assert after["ingest"] == pytest.approx(2.0)
    write_plan(plan(run, corrected, LOAD), run, corrected)
    compare(run, [took(tmp_path, "train", 571.6, [10])])
    again = read_rates(folder)
    assert again is not None
    assert again.factors["train"] == pytest.approx(corrected.factors["train"])  # a plan that was right changes nothing


def test_without_a_plan_of_this_recipe_there_is_nothing_to_compare(tmp_path: Path) -> None:
    run, longer = recipe(output=tmp_path), recipe(output=tmp_path, training={"steps": 2000})
    assert compare(run, [took(tmp_path, "train", 3.0, [1])]) == []
    write_rates(RATES, run.run_folder)
    write_plan(plan(longer, RATES, LOAD), longer, RATES)
    assert compare(run, [took(tmp_path, "train", 3.0, [1])]) == []
    assert not (run.run_folder / FACT).exists()
    assert read_rates(run.run_folder) == RATES


@pytest.mark.parametrize("text", ["{", "[]", '{"key": "k", "sizes": {}, "lines": {}, "files": {}}'])
def test_damaged_files_are_one_line(tmp_path: Path, text: str) -> None:
    run = recipe(output=tmp_path)
    run.run_folder.mkdir(parents=True)
    (run.run_folder / FILE).write_text(text)
    with pytest.raises(UserError, match=FILE):
        read_rates(run.run_folder)
    (run.run_folder / PLAN).write_text(text)
    with pytest.raises(UserError, match=PLAN):
        compare(run, [])
