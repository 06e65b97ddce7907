"""A recipe as an Airflow DAG: one task per stage, each a call of the `lstmlm` command.

Imports nothing but Airflow and the standard library: Airflow and TFX cannot share a Python environment. The stages and
their order are what `lstmlm stages --json` prints.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
import shlex
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.standard.operators.bash import BashOperator

try:
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset

FINAL = {
    2: "the recipe, the input or the arguments must change",
    3: "the model is outside evaluation.thresholds",
}
"""Exit codes that another try would not change; 75 and 1 are retried. See the README of lstmlm."""

_CODE = re.compile(r"exit code (\d+)")


class StageOperator(BashOperator):
    """Runs a stage as a command. A failure that another try cannot change is not retried.

    Args:
        stop_command: What is run, in addition, where the task is marked failed or cleared while it works: it stops a
            job that would continue elsewhere.
    """

    template_fields = (*BashOperator.template_fields, "stop_command")

    def __init__(self, *, stop_command: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.stop_command = stop_command

    def on_kill(self) -> None:
        """See `BashOperator.on_kill`."""
        super().on_kill()
        if self.stop_command:
            subprocess.run(["bash", "-c", self.stop_command], cwd=self.cwd, check=False)

    def execute(self, context: Any) -> Any:
        """See `BashOperator.execute`.

        Raises:
            AirflowFailException: The exit code is one of `FINAL`; Airflow does not retry then.
        """
        try:
            return super().execute(context)
        except AirflowException as error:
            code = _CODE.search(str(error))
            if code and int(code[1]) in FINAL:
                raise AirflowFailException(f"{FINAL[int(code[1])]} ({error})") from error
            raise


def lstmlm_dag(
    dag_id: str,
    recipe: str,
    lstmlm: Sequence[str] = ("lstmlm",),
    *,
    stages: Path | None = None,
    schedule: str | None = None,
    start_date: datetime.datetime = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    catchup: bool = False,
    overrides: Sequence[str] = (),
    address: str | None = None,
    submitted: Collection[str] = ("train",),
    cwd: str | None = None,
    retries: int = 2,
    retry_delay: datetime.timedelta = datetime.timedelta(minutes=1),
) -> DAG:
    """Returns the DAG of a recipe.

    Args:
        dag_id: Name of the DAG.
        recipe: The recipe, as the workers see it.
        lstmlm: The command in the environment of lstmlm, such as `["/opt/lstmlm/bin/lstmlm"]`.
        stages: A file that `lstmlm stages --json` was written to, for a DAG processor on another machine than lstmlm;
            None: the command is called, once per process.
        schedule: When it runs, for example `@daily`; None: when triggered.
        start_date: The first data interval.
        catchup: Whether the intervals between the start and now are run too.
        overrides: Fields of the recipe, as `section.field=value`; Airflow fills in templates such as `{{ ds }}`, so
            each data interval can have its files.
        address: Job server of a Ray cluster, such as `http://HEAD:8265`. The stages in `submitted` run there: a retry
            attaches to the job that still runs, and a task that is marked failed stops it.
        submitted: Names of stages.
        cwd: Folder that the relative paths of the recipe start from.
        retries: Times a failed stage is started again; it resumes from its last checkpoint. One that fails for good
            (exit codes 2 and 3) is not.
        retry_delay: How long to wait before the first retry; doubled before each later one.
    """
    text = _printed(tuple(lstmlm), cwd) if stages is None else stages.read_text(encoding="utf-8")
    before = {row["name"]: row["before"] for row in json.loads(text) if row["node"] is not None}
    with DAG(
        dag_id=dag_id,
        schedule=schedule,
        start_date=start_date,
        catchup=catchup,
        # A run's folder belongs to one process at a time; a second stage would only wait for the first.
        max_active_runs=1,
        max_active_tasks=1,
        tags=["lstmlm"],
    ) as dag:
        tasks = {
            stage: StageOperator(
                task_id=stage,
                **_commands(lstmlm, recipe, stage, overrides, address if stage in submitted else None),
                outlets=[pushed_asset(dag_id)] if stage == "push" else [],
                cwd=cwd,
                append_env=True,
                retries=retries,
                retry_delay=retry_delay,
                retry_exponential_backoff=True,
            )
            for stage in before
        }
        for stage, earlier in before.items():
            for upstream in earlier:
                tasks[upstream] >> tasks[stage]
    return dag


def pushed_asset(dag_id: str) -> Asset:
    """Returns the asset of pushed models: another DAG, by `schedule=[pushed_asset("news")]`, runs at each new one."""
    return Asset(f"lstmlm://{dag_id}/pushed")


@functools.cache
def _printed(lstmlm: tuple[str, ...], cwd: str | None) -> str:
    command = [*lstmlm, "stages", "--json"]
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def _commands(
    lstmlm: Sequence[str], recipe: str, stage: str, overrides: Sequence[str], address: str | None
) -> dict[str, str]:
    """Returns what runs a stage, here or by a job server, and what stops its job there."""
    where = ["run", recipe]
    if address is not None:
        where = ["submit", recipe, "--address", address, "--command", shlex.join(lstmlm)]
    changes = [word for change in overrides for word in ("--set", change)]
    fixed = shlex.join([*lstmlm, *where, *changes, "--stage", stage])
    # Airflow fills in the run id; it is the same for all tasks of a run and for a cleared task.
    command = f"{fixed} --run-id '{{{{ run_id }}}}'"
    return {"bash_command": command, "stop_command": "" if address is None else f"{command} --stop"}
