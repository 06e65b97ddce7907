"""Which variables learn, how fast, and from which step on."""

from __future__ import annotations

import pytest

from lstmlm.models.parts import Part, part_of
from lstmlm.recipe.sections.initial import Initial
from lstmlm.training.initial.groups import frozen, paces
from lstmlm.training.pace import Pace

NAMES = ["embedding/table", "embedding/bias", "encoder_0_forward/kernel", "encoder_1_backward/bias", "bridge/kernel"]
PARTS = {name: part for name in NAMES if (part := part_of(name)) is not None}


def initial(**fields: object) -> Initial:
    return Initial.model_validate({"model": "m", **fields})


def test_a_variable_is_known_by_its_name() -> None:
    assert part_of("encoder_1_backward/bias") == Part("layers", "encoder", 1, "backward", "bias")
    assert part_of("layer_0/recurrent") == Part("layers", "layer", 0, None, "recurrent")
    assert part_of("embedding/bias") == Part("softmax")
    assert part_of("bridge/kernel") is None
    assert part_of("attention/score") is None


def test_rates_fall_by_a_factor_from_group_to_group() -> None:
    """The output, layer 1, layer 0, the embedding (equation 3.1 of Howard and Ruder 2018 has 1 / 2.6)."""
    found = paces(initial(rates=0.5, unfreeze_every=10), PARTS, NAMES)
    assert found == {
        "embedding/bias": Pace(1.0, 0),
        "bridge/kernel": Pace(1.0, 0),
        "encoder_1_backward/bias": Pace(0.5, 10),
        "encoder_0_forward/kernel": Pace(0.25, 20),
        "embedding/table": Pace(0.125, 30),
    }


def test_an_embedding_by_itself_is_the_second_group() -> None:
    assert paces(initial(rates=0.5, unfreeze_every=10), PARTS, ["embedding/table"])["embedding/table"] == Pace(0.5, 10)


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        (["embedding"], {"embedding/table"}),
        (["softmax"], {"embedding/table", "embedding/bias"}),
        (["layers"], {"encoder_0_forward/kernel", "encoder_1_backward/bias"}),
    ],
)
def test_what_is_frozen(parts: list[str], names: set[str]) -> None:
    assert frozen(initial(freeze=parts), PARTS, NAMES) == names
    assert frozen(initial(freeze=parts), PARTS, []) == set()  # what is not taken over learns
