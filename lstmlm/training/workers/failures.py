"""The failure policy for Ray Train: a user's mistake is not retried, and Ctrl-C is handled by the driver."""

from __future__ import annotations

from typing import Any

from ray.train.tensorflow import TensorflowTrainer
from ray.train.v2._internal.execution.failure_handling import DefaultFailurePolicy, FailureDecision
from ray.train.v2.api.exceptions import TrainingFailedError

from lstmlm.errors import UserError, chain, first_line


class RayTrainer(TensorflowTrainer):
    """Ray's trainer, with our failure policy and without its handler of SIGINT, which it would leave behind."""

    def _initialize_and_run_controller(self, **options: Any) -> Any:
        policy = FailOnMistake(self.run_config.failure_config)
        return super()._initialize_and_run_controller(**{**options, "failure_policy": policy})

    def _register_sigint_handler(self, controller: object) -> None:
        """Leaves SIGINT as it is. It interrupts `fit`; the end of the connection then ends the workers."""


class FailOnMistake(DefaultFailurePolicy):
    """Restarts the workers after what may go well the next time, such as the death of one."""

    def make_decision(self, training_failed_error: TrainingFailedError) -> FailureDecision:
        """See Ray."""
        if find_mistake(training_failed_error) is not None:
            return FailureDecision.RAISE
        return super().make_decision(training_failed_error)


class WorkersFailed(RuntimeError):
    """Training failed in a worker, and not by a mistake of the user's."""


def find_mistake(error: BaseException) -> UserError | None:
    """Returns the user's mistake inside of what Ray wraps around a worker's error; None: it is none."""
    for link in chain(error):
        if isinstance(link, UserError):
            return link
        if type(link).__name__ == "OutOfMemoryError":  # of Ray's, which ends a worker before the system does
            hint = "Lower training.batch or training.workers, or give it more memory"
            return UserError("a worker was ended because the machine ran out of memory", where="training", hint=hint)
    return None


def summary(error: BaseException) -> WorkersFailed:
    """Returns an error whose message is the first failure of a worker: Ray's own is a report of many lines."""
    failures: dict[int, BaseException] = getattr(error, "worker_failures", None) or {}
    for rank, failure in sorted(failures.items()):
        inner = list(chain(failure))[-1]
        return WorkersFailed(f"worker {rank} failed: {type(inner).__name__}: {first_line(inner)}")
    return WorkersFailed(f"{type(error).__name__}: {first_line(error)}")
