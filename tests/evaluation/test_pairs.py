"""Held-out pairs: joined by source, drawn by hash."""

from lstmlm.evaluation.pairs import group_by_source
from lstmlm.records.record import Record


def test_records_of_one_source_share_their_targets() -> None:
    records = [Record("1", "a", ("x", "y")), Record("2", "b", ("z",)), Record("3", "a", ("y", "w", "w"))]
    groups = group_by_source(records, 10, seed=1)
    assert [(record.id, targets) for record, targets in groups] == [("1", ["x", "y", "w"]), ("2", ["z"])]


def test_the_draw_is_stable_and_keeps_the_order() -> None:
    records = [Record(str(i), f"source {i}", ("t",)) for i in range(200)]
    drawn = [int(record.id) for record, _ in group_by_source(records, 20, seed=1)]
    assert len(drawn) == 20
    assert drawn == sorted(drawn)
    assert max(drawn) > 100  # not the first ones
    assert drawn == [int(record.id) for record, _ in group_by_source(records, 20, seed=1)]
    assert drawn != [int(record.id) for record, _ in group_by_source(records, 20, seed=2)]
