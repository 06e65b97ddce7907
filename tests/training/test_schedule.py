"""The learning rate's landmarks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.recipe import Training
from lstmlm.training.schedule import learning_rate

PLAN = Training(steps=100, warmup=10, learning_rate=1.0, final_rate=0.1)


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
