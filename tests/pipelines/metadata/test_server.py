"""ML Metadata on a database server, which is killed and started again; the stages after ingest are fakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lstmlm.cli.app import run
from lstmlm.errors import TryAgain, UserError
from tests.databases import MariaDb, Postgres, Server, has_mariadb

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe
    from tests.pipelines.conftest import MakeRecipe, Stages

pytestmark = [pytest.mark.tfx, pytest.mark.slow]


NO_MARIADB = pytest.mark.skipif(not has_mariadb(), reason="no MariaDB on this machine: apt-get install mariadb-server")


@pytest.fixture(scope="module", params=[Postgres, pytest.param(MariaDb, marks=NO_MARIADB)])
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="lstmlm-database-") as folder:
        Path(folder).chmod(0o755)
        server: Server = request.param(Path(folder))
        server.start()
        yield server
        server.stop_gently()


@pytest.fixture
def server(running: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, and a database of the test's own."""
    running.start()
    database = tmp_path.name.replace("-", "_").lower()[:40]
    monkeypatch.setenv("LSTMLM_METADATA", running.url(database))
    return running


def test_a_run_a_rerun_and_its_history(
    server: Server, make_recipe: MakeRecipe, stages: Stages, capfd: pytest.CaptureFixture[str]
) -> None:
    from pipelines.local import run_local

    recipe = make_recipe()
    report = run_local(recipe, run_id="first")
    assert stages.calls() == ["tokenizer", "examples", "train", "export", "evaluate", "infer"]
    run_local(recipe, run_id="second")
    assert stages.calls() == []
    assert not (recipe.run_folder / "metadata.sqlite").exists()
    assert run(["--json", "runs", str(recipe.run_folder.parent)]) == 0
    said = capfd.readouterr().out
    rows = json.loads(said[said.index("{") :])["rows"]
    assert [(row["run"], row["state"]) for row in rows] == [("second", "finished"), ("first", "finished")]
    assert run(["lineage", str(report.artifacts["export"])]) == 0
    assert "made by ingest" in capfd.readouterr().out
    texts = [path.read_bytes() for path in recipe.run_folder.rglob("*") if path.is_file()]
    assert not any(b"se cret" in text or b"se%20cret" in text for text in texts)


def test_recipes_of_one_name_in_two_folders_do_not_meet(
    server: Server, make_recipe: MakeRecipe, stages: Stages, tmp_path: Path
) -> None:
    from pipelines.history.store import History
    from pipelines.local import run_local

    one, other = make_recipe(), make_recipe().model_copy(update={"output": tmp_path / "elsewhere"})
    for recipe in (one, other):
        run_local(recipe, run_id="daily")
        assert "train" in stages.calls()
        executions = History(recipe.run_folder).runs()["daily"]
        made = [path for one in executions for paths in one.outputs.values() for path in paths]
        assert made
        assert all(path.is_relative_to(recipe.run_folder) for path in made)


def test_a_server_that_is_killed_while_a_stage_works_is_waited_for(
    server: Server, make_recipe: MakeRecipe, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.local import run_local

    write, again = stages.write, threading.Thread(target=server.start)

    def killed(kind: str, name: str, output: Path, files: dict[str, str]) -> None:
        if name == "train":
            server.crash()
            again.start()
        write(kind, name, output, files)

    monkeypatch.setattr(stages, "write", killed)
    report = run_local(make_recipe(), run_id="first")
    again.join()
    assert report.artifacts["infer"].is_dir()
    assert stages.calls().count("train") == 1


def test_a_server_that_stays_away_is_to_be_tried_again(
    server: Server, make_recipe: MakeRecipe, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.local import run_local
    from pipelines.metadata import handle

    recipe = make_recipe()
    run_local(recipe, run_id="first", stage="ingest")
    server.crash()
    with (
        monkeypatch.context() as hurry,
        pytest.raises(TryAgain, match=r"(?:postgresql|mysql)://127\.0\.0\.1:.*is away \(.*Run it again"),
    ):
        hurry.setattr(handle.Metadata.__init__, "__defaults__", (0.2,))
        run_local(recipe, run_id="first", stage="tokenizer")
    server.start()
    run_local(recipe, run_id="first", stage="tokenizer")
    assert stages.calls() == ["tokenizer"]


def test_a_wrong_password_is_one_line(
    server: Server, make_recipe: MakeRecipe, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.local import run_local

    monkeypatch.setenv("LSTMLM_METADATA", server.url(password="hidden"))
    with pytest.raises(UserError, match=r"cannot be opened: .*password.*LSTMLM_METADATA") as caught:
        run_local(make_recipe())
    assert "hidden" not in str(caught.value)
    assert not isinstance(caught.value, TryAgain)


def test_a_database_that_is_not_made_is_one_line(
    running: Server, make_recipe: MakeRecipe, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.local import run_local

    if running.scheme == "mysql":
        pytest.skip("MariaDB keeps the letters of a name, so ML Metadata can make it")
    running.start()
    monkeypatch.setenv("LSTMLM_METADATA", running.url("Runs"))
    with pytest.raises(UserError, match=r'"Runs" does not exist\. Make the database, or write its name'):
        run_local(make_recipe())


def test_two_recipes_at_once(server: Server, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    """Two processes make the tables of a fresh database at the same time, and run the first stages."""
    for name in ("one", "two"):
        recipe: Recipe = make_recipe().model_copy(update={"name": name})
        (tmp_path / f"{name}.yaml").write_text(recipe.model_dump_json(exclude_defaults=True))
    command = [sys.executable, "-m", "lstmlm", "run", "--run-id", "daily", "--stage", "ingest"]
    started: list[subprocess.Popen[Any]] = [
        subprocess.Popen([*command, str(tmp_path / f"{name}.yaml")], stderr=subprocess.PIPE, text=True, env=os.environ)
        for name in ("one", "two")
    ]
    for process in started:
        _, said = process.communicate()
        assert process.returncode == 0, said
        assert "locked" not in said
