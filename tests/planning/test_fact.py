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
    write_rates(RATES, tmp_path)
    assert read_rates(tmp_path, "k") == RATES
    assert read_rates(tmp_path, "of another recipe") is None
    before = plan(recipe(), RATES, LOAD)
    write_plan(before, tmp_path)
    (train, ingest) = compare(
        tmp_path,
        [took(tmp_path, "train", 571.6, [10, 20]), took(tmp_path, "ingest", 2.0, [5]), Took("push", 1, tmp_path)],
    )
    assert (train.stage, train.files, train.bytes, train.planned_files) == ("train", 2, 30, 5)
    assert train.planned_seconds == pytest.approx(285.8)
    assert (ingest.seconds, ingest.files) == (2.0, 1)
    written = json.loads((tmp_path / FACT).read_text())["stages"]
    assert [one["stage"] for one in written] == ["train", "ingest"]
    corrected = read_rates(tmp_path)
    assert corrected is not None
    assert corrected.source == "run"
    after = {one.stage: one.seconds for one in plan(recipe(), corrected, LOAD)}
    assert after["train"] == pytest.approx(571.6)
    assert after["ingest"] == pytest.approx(2.0)
    write_plan(plan(recipe(), corrected, LOAD), tmp_path)
    compare(tmp_path, [took(tmp_path, "train", 571.6, [10])])
    again = read_rates(tmp_path)
    assert again is not None
    assert again.factors["train"] == pytest.approx(corrected.factors["train"])  # a plan that was right changes nothing


def test_without_a_plan_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert compare(tmp_path, [took(tmp_path, "train", 3.0, [1])]) == []
    assert not (tmp_path / FACT).exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"key": "k", "sizes": {}, "lines": {}, "files": {}}'])
def test_damaged_files_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=FILE):
        read_rates(tmp_path)
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(UserError, match=PLAN):
        compare(tmp_path, [])
