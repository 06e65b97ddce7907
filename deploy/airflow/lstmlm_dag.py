"""A recipe as an Airflow DAG: one task a stage, each a call of the `lstmlm` command.

Imports nothing but Airflow and the standard library: Airflow and TFX cannot share a Python environment.
"""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Sequence

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

STAGES: dict[str, tuple[str, ...]] = {
    "ingest": (),
    "statistics": ("ingest",),
    "schema": ("statistics",),
    "validate": ("schema", "statistics"),
    "tokenizer": ("ingest",),
    "examples": ("ingest", "tokenizer"),
    "train": ("examples", "tokenizer"),
    "export": ("tokenizer", "train"),
    "resolve": ("export",),
    "evaluate": ("export", "ingest", "resolve"),
    "push": ("evaluate", "export"),
    "infer": ("ingest", "push"),
}
"""Stage -> the stages before it. A test holds this equal to the TFX pipeline."""


def lstmlm_dag(
    dag_id: str,
    recipe: str,
    lstmlm: Sequence[str] = ("lstmlm",),
    *,
    schedule: str | None = None,
    cwd: str | None = None,
    retries: int = 0,
) -> DAG:
    """Returns the DAG of a recipe.

    Args:
        dag_id: Name of the DAG.
        recipe: The recipe, as the workers see it.
        lstmlm: The command in the environment of lstmlm, such as `["/opt/lstmlm/bin/lstmlm"]`.
        schedule: When it runs, for example `@daily`; None: when triggered.
        cwd: Folder that the relative paths of the recipe start from.
        retries: Times a failed stage is started again; it resumes from its last checkpoint.
    """
    with DAG(
        dag_id=dag_id,
        schedule=schedule,
        start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
        catchup=False,
        # A run's folder belongs to one process at a time; a second stage would only wait for the first.
        max_active_runs=1,
        max_active_tasks=1,
        tags=["lstmlm"],
    ) as dag:
        tasks = {
            stage: BashOperator(
                task_id=stage, bash_command=_command(lstmlm, recipe, stage), cwd=cwd, append_env=True, retries=retries
            )
            for stage in STAGES
        }
        for stage, before in STAGES.items():
            for upstream in before:
                tasks[upstream] >> tasks[stage]
    return dag


def _command(lstmlm: Sequence[str], recipe: str, stage: str) -> str:
    fixed = shlex.join([*lstmlm, "run", recipe, "--stage", stage])
    # Airflow fills in the run id; it is the same for all tasks of a run and for a cleared task.
    return f"{fixed} --run-id '{{{{ run_id }}}}'"
