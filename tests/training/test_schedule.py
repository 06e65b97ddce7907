"""The learning rate's landmarks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.training.schedule import learning_rate, should_stop

PLAN = TrainingSection(steps=100, warmup=10, learning_rate=1.0, final_rate=0.1)


def test_it_warms_up_linearly_peaks_and_ends_at_the_final_rate():
    assert learning_rate(5, PLAN) == pytest.approx(0.5)
    assert learning_rate(10, PLAN) == pytest.approx(1.0)
    assert learning_rate(55, PLAN) == pytest.approx(0.55)
    assert learning_rate(100, PLAN) == pytest.approx(0.1)


@given(st.integers(10, 99))
def test_it_never_rises_after_the_warm_up(step):
    assert learning_rate(step + 1, PLAN) <= learning_rate(step, PLAN)


def test_without_warm_up_it_starts_at_the_peak():
    assert learning_rate(1, PLAN.model_copy(update={"warmup": 0})) == pytest.approx(1.0, abs=0.01)


def test_inverse_square_root_falls_from_the_peak_to_the_floor():
    plan = PLAN.model_copy(update={"schedule": "inverse_sqrt"})
    assert learning_rate(10, plan) == pytest.approx(1.0)
    assert learning_rate(40, plan) == pytest.approx(0.5)
    assert learning_rate(100_000, plan) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("losses", "rate"),
    [([], 1.0), ([3, 2, 1], 1.0), ([3, 4, 5], 0.5), ([3, 4, 5, 6, 7], 0.25), ([3, 4, 2, 5, 2], 0.5), ([3] * 20, 0.1)],
)
def test_a_plateau_lowers_the_rate(losses, rate):
    plan = PLAN.model_copy(update={"schedule": "plateau", "patience": 2, "decay": 0.5})
    assert learning_rate(50, plan, losses) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("losses", "stop"), [([], False), ([3, 4], False), ([3, 4, 5], True), ([3, 4, 2.9], False), ([3, 3, 3], True)]
)
def test_it_stops_when_evaluations_bring_nothing_better(losses, stop):
    assert should_stop(losses, 2) is stop
    assert should_stop(losses, None) is False
