"""Plans follow from rates: linear in the corpus, divided by workers, with as many files as the stages write."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.planning.estimate import Load, StagePlan, plan, total
from lstmlm.planning.rates import Line, Rates, Sizes
from lstmlm.recipe.recipe import Recipe

SIZES = Sizes(
    row_bytes=100.0, kept=0.9, valid=0.1, valid_records=0, record_bytes=150.0, example_bytes=80.0, tokens=20.0,
    target_bytes=40.0, target_tokens=10.0, output_bytes=70.0,
)  # fmt: skip
RATES = Rates(
    key="k",
    source="probe",
    sizes=SIZES,
    lines={
        "ingest": Line(1.0, 1e-6),
        "tokenizer": Line(0.5, 1e-4),
        "examples": Line(0.5, 1e-5),
        "evaluate": Line(2.0, 1e-2),
        "infer": Line(1.0, 1e-4),
    },
    seconds={"export": 3.0, "train.start": 30.0, "train.end": 5.0, "train.step": 0.25, "train.evaluate": 0.05},
    files={
        "ingest": (4, 4000), "tokenizer": (2, 9000), "examples": (1, 500), "train": (5, 700), "export": (12, 8000),
        "evaluate": (2, 900), "infer": (2, 600),
    },
    memory={"train": 10**9},
    workers=1,
)  # fmt: skip


def recipe(**sections: object) -> Recipe:
    content = {
        "name": "plan",
        "task": "translate",
        "corpus": {"train": "a.tsv", "target": "b", "shards": 8},
        "training": {"steps": 1000, "evaluate_every": 300, "evaluate_batches": 4},
        **sections,
    }
    return Recipe.model_validate(content)


def of(stages: list[StagePlan]) -> dict[str, StagePlan]:
    return {one.stage: one for one in stages}


def test_each_stage_is_what_its_rates_say() -> None:
    found = of(plan(recipe(), RATES, Load(records=10_000, bytes=1_000_000, workers=1)))
    assert {name: one.records for name, one in found.items()} == {
        "ingest": 10_000, "tokenizer": 8100, "examples": 9000, "train": 1000, "export": 1, "evaluate": 900,
        "infer": 900,
    }  # fmt: skip
    assert found["ingest"].seconds == pytest.approx(2.0)
    assert found["tokenizer"].seconds == pytest.approx(0.5 + 0.81)
    assert found["examples"].seconds == pytest.approx(0.59)
    assert found["train"].seconds == pytest.approx(30 + 250 + 4 * 4 * 0.05 + 5)  # evaluated at 300, 600, 900 and 1000
    assert found["export"].seconds == 3.0
    assert found["evaluate"].seconds == pytest.approx(2.0 + 9.0)
    assert found["infer"].seconds == pytest.approx(1.0 + 900 * 10 * 1e-4)
    assert {name: one.files for name, one in found.items()} == {
        "ingest": 16 + 4, "tokenizer": 2, "examples": 32 + 1, "train": 5, "export": 12, "evaluate": 2, "infer": 2 + 2,
    }  # fmt: skip
    assert found["ingest"].bytes == 9000 * 150 + 4000
    assert found["examples"].bytes == 9000 * 80 + 500
    assert found["infer"].bytes == 900 * (70 + 40) + 600
    assert found["examples"].requests == 16 + 33
    whole = total([*found.values()])
    assert whole.files == sum(one.files for one in found.values())
    assert whole.memory == 10**9


@given(st.integers(1, 10**9), st.integers(1, 1000))
def test_time_grows_with_the_corpus_and_is_shared_by_workers(records: int, workers: int) -> None:
    asked = recipe(corpus={"train": "a.tsv", "target": "b"})
    one, more = (plan(asked, RATES, Load(n * records, n * records * 100, workers)) for n in (1, 2))
    for small, large in zip(one, more, strict=True):
        assert large.seconds >= small.seconds
        assert large.files >= small.files
    single = of(plan(asked, RATES, Load(records, records * 100, 1)))["ingest"]
    shared = of(one)["ingest"]
    assert shared.seconds - 1.0 == pytest.approx((single.seconds - 1.0) / workers)
    assert shared.bytes == single.bytes


def test_shards_follow_the_size_where_the_recipe_leaves_them_open() -> None:
    asked = recipe(corpus={"train": "a.tsv", "target": "b", "shard_bytes": 1_000_000})
    small, large = (of(plan(asked, RATES, Load(n, n * 100, 1)))["ingest"] for n in (1000, 100_000))
    assert small.files == 2 * 4 + 4
    assert large.files == 2 * 13 + 4  # 81,000 records of 150 bytes in train


def test_longer_rows_than_were_measured_cost_more() -> None:
    short, long = (of(plan(recipe(), RATES, Load(1000, 1000 * size, 1))) for size in (100, 300))
    assert long["examples"].bytes - 500 == 3 * (short["examples"].bytes - 500)
    assert long["infer"].seconds > short["infer"].seconds
    assert long["tokenizer"].records == short["tokenizer"].records


def test_a_run_corrects_the_next_plan() -> None:
    load = Load(records=10_000, bytes=1_000_000, workers=1)
    corrected = dataclasses.replace(RATES, factors={"train": 1.5})
    before, after = of(plan(recipe(), RATES, load)), of(plan(recipe(), corrected, load))
    assert after["train"].seconds == pytest.approx(1.5 * before["train"].seconds)
    assert after["ingest"] == before["ingest"]


@given(st.floats(0, 100), st.floats(0, 1), st.floats(1, 1e6), st.floats(1.5, 10))
def test_a_line_through_two_points_gives_both(fixed: float, rate: float, units: float, times: float) -> None:
    line = Line(fixed, rate)
    found = Line.through((units, line.at(units)), (units * times, line.at(units * times)))
    for place in (units, units * times, 100 * units):
        assert found.at(place) == pytest.approx(line.at(place), rel=1e-3, abs=1e-3)


def test_a_larger_sample_that_was_quicker_gives_no_negative_rate() -> None:
    found = Line.through((10, 5.0), (20, 4.0))
    assert (found.fixed, found.rate) == (4.0, 0.0)


def test_a_plan_by_known_rates_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom lstmlm.planning import estimate, fact, probe, sample\n"
        "print(sorted(set(sys.modules) & {'tensorflow', 'apache_beam', 'ray', 'tfx', 'onnxruntime'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "[]\n"
