"""The DAG's tasks and their order, with stubs of Airflow's classes: Airflow has an environment of its own."""

from __future__ import annotations

import json
import runpy
import shlex
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmlm.stages import pipeline_stages, stages_before


class Dag:
    """Replaces `airflow.sdk.DAG`; keeps the tasks that are made inside it."""

    current: Dag

    def __init__(self, **_: Any) -> None:
        self.tasks: dict[str, Task] = {}

    def __enter__(self) -> Dag:
        Dag.current = self
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Task:
    """Replaces `BashOperator`."""

    template_fields = ("bash_command",)

    def __init__(self, *, task_id: str, bash_command: str, outlets: list[Any], **_: Any) -> None:
        self.command, self.before, self.outlets = bash_command, set[str](), outlets
        self.name = task_id
        Dag.current.tasks[task_id] = self

    def __rshift__(self, later: Task) -> None:
        later.before.add(self.name)


@pytest.fixture
def lstmlm_dag(monkeypatch: pytest.MonkeyPatch, root: Path) -> Callable[..., Dag]:
    """The function of `deploy/airflow/lstmlm_dag.py`."""
    names = ("airflow", "airflow.exceptions", "airflow.sdk", "airflow.providers", "airflow.providers.standard")
    for name in (*names, "airflow.providers.standard.operators", "airflow.providers.standard.operators.bash"):
        module = types.ModuleType(name)
        names_of_airflow = {"DAG": Dag, "Asset": str, "BashOperator": Task}
        module.__dict__.update(names_of_airflow, AirflowException=Exception, AirflowFailException=Exception)
        monkeypatch.setitem(sys.modules, name, module)
    found: Callable[..., Dag] = runpy.run_path(str(root / "deploy" / "airflow" / "lstmlm_dag.py"))["lstmlm_dag"]
    return found


def test_the_dag_has_the_stages_and_the_order_of_the_table(lstmlm_dag: Callable[..., Dag], root: Path) -> None:
    dag = lstmlm_dag("news", "news.yaml", [sys.executable, "-m", "lstmlm"], cwd=str(root))
    assert {name: task.before for name, task in dag.tasks.items()} == {
        stage.name: set(stages_before(stage)) for stage in pipeline_stages()
    }
    words = shlex.split(dag.tasks["train"].command)
    assert words[1:] == ["-m", "lstmlm", "run", "news.yaml", "--stage", "train", "--run-id", "{{ run_id }}"]


def test_training_runs_on_a_cluster_and_is_stopped_there(lstmlm_dag: Callable[..., Dag], root: Path) -> None:
    command, cluster = [sys.executable, "-m", "lstmlm"], "http://head:8265"
    changes = ["corpus.train=news-{{ ds }}.jsonl"]
    dag: Any = lstmlm_dag("news", "news.yaml", command, cwd=str(root), overrides=changes, address=cluster)
    words = shlex.split(dag.tasks["train"].command)
    assert words[3:7] == ["submit", "news.yaml", "--address", cluster]
    assert shlex.split(words[words.index("--command") + 1]) == command
    assert words[words.index("--set") + 1] == changes[0]
    stop = shlex.split(dag.tasks["train"].stop_command)
    assert stop == [*words, "--stop"]
    assert "run" in shlex.split(dag.tasks["ingest"].command)
    assert dag.tasks["ingest"].stop_command == ""
    assert {name for name, task in dag.tasks.items() if task.outlets} == {"push"}


def test_a_file_takes_the_place_of_the_command(lstmlm_dag: Callable[..., Dag], tmp_path: Path) -> None:
    rows = [
        {"name": "one", "before": [], "node": {}},
        {"name": "aside", "before": ["one"], "node": None},
        {"name": "two", "before": ["one"], "node": {}},
    ]
    (tmp_path / "stages.json").write_text(json.dumps(rows), encoding="utf-8")
    dag = lstmlm_dag("news", "news.yaml", ["/absent/lstmlm"], stages=tmp_path / "stages.json")
    assert {name: task.before for name, task in dag.tasks.items()} == {"one": set(), "two": {"one"}}
