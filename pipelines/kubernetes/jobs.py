"""Jobs of Kubernetes that run a command of `lstmlm`, and go by its exit codes."""

from __future__ import annotations

from lstmlm.errors import ExitCode
from lstmlm.recipe.recipe import Recipe
from pipelines.containers import SHARED_MEMORY
from pipelines.kubernetes.pods import RECIPE_FILE, Container, Object, metadata, pod

_FINAL = (ExitCode.USER, ExitCode.BELOW_THRESHOLD)
"""What another attempt cannot change."""


def job(recipe: Recipe, container: Container, retries: int) -> Object:
    """Returns the specification of a Job.

    Args:
        recipe: The run.
        container: The command.
        retries: Further attempts after a failure that may pass, such as exit code 75 or a lost node.
    """
    final = {"containerName": container.name, "operator": "In", "values": [*map(int, _FINAL)]}
    drained = {"type": "DisruptionTarget", "status": "True"}  # no failure of the run
    rules: list[Object] = [
        {"action": "FailJob", "onExitCodes": final},
        {"action": "Ignore", "onPodConditions": [drained]},
    ]
    return {
        "backoffLimit": retries,
        "ttlSecondsAfterFinished": recipe.cluster.keep_seconds,
        "podFailurePolicy": {"rules": rules},
        "template": {"spec": pod(recipe, [container], shared_memory=SHARED_MEMORY, restartPolicy="Never")},
    }


def cron_objects(recipe: Recipe, image: str) -> list[Object]:
    """Returns a CronJob that runs the whole recipe in one pod; what has not changed is taken from the cache.

    Args:
        recipe: The run. Its container gets the resources of `train`.
        image: The image.
    """
    resources = recipe.resources("train")
    container = Container("lstmlm", image, resources, ("lstmlm",), ("run", RECIPE_FILE))
    schedule: Object = {
        "schedule": recipe.cluster.schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",  # a run has one folder
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": job(recipe, container, resources.retries)},
    }
    return [{"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(recipe), "spec": schedule}]
