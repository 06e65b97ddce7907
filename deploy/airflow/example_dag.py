"""An example for Airflow's DAGs folder: goes next to `lstmlm_dag.py`, names a recipe by environment variables."""

import os
import shlex

from lstmlm_dag import lstmlm_dag

dag = lstmlm_dag(
    dag_id=os.environ.get("LSTMLM_DAG_ID", "lstmlm"),
    recipe=os.environ["LSTMLM_RECIPE"],
    lstmlm=shlex.split(os.environ.get("LSTMLM_COMMAND", "lstmlm")),
    schedule=os.environ.get("LSTMLM_SCHEDULE"),
    cwd=os.environ.get("LSTMLM_CWD"),
)
