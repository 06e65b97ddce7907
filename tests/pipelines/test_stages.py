from __future__ import annotations

import pytest

from lstmlm.errors import UserError
from pipelines.stages import STAGES, stage_named, stage_of_node


def test_names_and_nodes_map_both_ways() -> None:
    for stage in STAGES:
        assert stage_named(stage.name) is stage
        assert stage_of_node(stage.node) is stage


def test_names_and_nodes_are_unique() -> None:
    assert len({stage.name for stage in STAGES}) == len({stage.node for stage in STAGES}) == len(STAGES)


@pytest.mark.parametrize(("name", "hint"), [("trian", "Did you mean `train`"), ("xyz", "There are: ingest")])
def test_an_unknown_stage_is_told_with_the_known_ones(name: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        stage_named(name)
