"""A run's folder that is moved or copied, and a store that is damaged; the stages after ingest are fakes."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.errors import UserError

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeRecipe, Stages

pytestmark = [pytest.mark.tfx, pytest.mark.slow]


def paths(home: Path) -> list[str]:
    with sqlite3.connect(home / "metadata.sqlite") as connection:
        return [text for (text,) in connection.execute("SELECT uri FROM Artifact")] + [
            text
            for table in ("ArtifactProperty", "ExecutionProperty")
            for (text,) in connection.execute(f"SELECT string_value FROM {table} WHERE string_value LIKE '%/runs%'")
        ]


def test_a_copied_run_finds_all_in_its_cache_and_reads_nothing_of_the_original(
    make_recipe: MakeRecipe, stages: Stages, tmp_path: Path
) -> None:
    from pipelines.local import run_local

    first = make_recipe()
    run_local(first, run_id="one")
    shutil.copytree(tmp_path / "runs", tmp_path / "runs-copied")
    shutil.move(tmp_path / "runs", tmp_path / "runs-away")  # what would read the original fails
    stages.calls()
    copied = make_recipe(output=str(tmp_path / "runs-copied"))
    report = run_local(copied, run_id="one")  # the same run is resumed, and is done
    report = run_local(copied)
    assert stages.calls() == []
    assert all(str(path).startswith(f"{copied.run_folder}/") for path in report.artifacts.values())
    assert not [text for text in paths(copied.run_folder) if f"{first.run_folder}/" in text]
    assert len(list((copied.run_folder / "pushed").iterdir())) == 1
    changed = make_recipe(output=str(tmp_path / "runs-copied"), decoding={"max_tokens": 9})
    run_local(changed)
    assert stages.calls() == ["export", "evaluate", "infer"]


def test_a_run_that_is_moved_there_and_back_stays_cached(
    make_recipe: MakeRecipe, stages: Stages, tmp_path: Path
) -> None:
    from pipelines.local import run_local

    run_local(make_recipe())
    stages.calls()
    for old, new in (("runs", "elsewhere"), ("elsewhere", "runs")):
        shutil.move(tmp_path / old, tmp_path / new)
        run_local(make_recipe(output=str(tmp_path / new)))
        assert stages.calls() == []


def damage(store: Path, how: str) -> None:
    data = store.read_bytes()
    contents = {"garbage": b"garbage" * 1000, "cut": data[: len(data) // 2], "zeros": data[:100] + bytes(len(data))}
    store.write_bytes(contents[how])


@pytest.mark.parametrize("how", ["garbage", "cut", "zeros"])
def test_a_damaged_store_is_one_line(make_recipe: MakeRecipe, tmp_path: Path, how: str) -> None:
    from ml_metadata.metadata_store import metadata_store
    from tfx.orchestration import metadata

    from pipelines.moved import settle

    home = make_recipe().run_folder
    home.mkdir(parents=True)
    metadata_store.MetadataStore(metadata.sqlite_metadata_connection_config(str(home / "metadata.sqlite")))
    damage(home / "metadata.sqlite", how)
    with pytest.raises(UserError, match=r"metadata\.sqlite: the metadata of this run .*move it away"):
        settle(home)


def test_a_store_that_another_program_has_locked_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipelines.moved as moved

    monkeypatch.setattr(moved, "_BUSY_SECONDS", 0.1)
    with sqlite3.connect(tmp_path / "metadata.sqlite", isolation_level=None) as other:
        other.execute("CREATE TABLE Artifact (id INTEGER, uri TEXT)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UserError, match="locked by another program"):
            moved.settle(tmp_path)
        other.execute("ROLLBACK")


def test_an_empty_store_and_none_are_a_first_run(tmp_path: Path) -> None:
    from lstmlm.publish.places import RUN_ORIGIN
    from pipelines.moved import settle

    (tmp_path / "a").mkdir()
    assert settle(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a" / "metadata.sqlite").touch()
    assert settle(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a").rename(tmp_path / "b")
    assert settle(tmp_path / "b") == tmp_path / "a"
    (tmp_path / "b" / RUN_ORIGIN).write_bytes(b"\xff\x00")
    assert settle(tmp_path / "b") == tmp_path / "b"
