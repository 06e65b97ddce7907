from __future__ import annotations

from pathlib import Path

from pipelines.housekeeping import sweep


def test_leftovers_go_and_results_stay(tmp_path: Path) -> None:
    for name in ("1", "2", ".2.partial-99"):
        (tmp_path / "Trainer" / "model" / name).mkdir(parents=True)
    (tmp_path / "Trainer" / ".system" / "executor_execution" / "2").mkdir(parents=True)
    (tmp_path / "Ingest" / "records" / "3").mkdir(parents=True)
    sweep(tmp_path, successful={1, 3})
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*/*")}
    assert found == {"Trainer/model/1", "Ingest/records/3"}


def test_there_is_nothing_to_sweep_before_the_first_run(tmp_path: Path) -> None:
    sweep(tmp_path / "absent", successful=set())
    assert not (tmp_path / "absent").exists()
