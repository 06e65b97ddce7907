"""The choice of a Beam runner: in this process, in several local processes, or on a cluster."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from lstmlm.errors import UserError

RUNNERS = ("direct", "processes", "flink", "spark", "dataflow")

JOB_ENDPOINT = "127.0.0.1:8099"
"""Where `deploy/flink` has Beam's job server listen."""

WORKER_POOL = "127.0.0.1:50000"
"""Where `deploy/flink` has the worker pool listen (`lstmlm.runners.worker_pool`)."""

FOLDER = "folder"
"""Key of the parameter that passes the folder of submission to each worker that a pool starts."""

_OPTION = re.compile(r"[A-Za-z]\w*(=.*)?", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Runner:
    """A place to run pipelines. It changes how long a stage takes, and not a byte of what the stage writes.

    Attributes:
        name: One of `RUNNERS`. `direct`: this process. `processes`: worker processes on this machine. `flink`,
            `spark`: a cluster behind a Beam job server. `dataflow`: Google Cloud.
        workers: `processes`: how many; absent: one a core. `flink`: how many times each step runs side by side;
            absent: as the cluster is configured. `dataflow`: how many machines to start with.
        options: Further options for Beam, each `key=value`, or `key` for a switch.
    """

    name: str = "direct"
    workers: int | None = None
    options: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """Returns the options as Beam's flags, defaults first: Beam takes the last of a flag."""
        return [*self._defaults(), *(f"--{option}" for option in self.options)]

    def option(self, key: str) -> str | None:
        """Returns the value that holds for a Beam option, or None where nothing sets it."""
        for flag in reversed(self.flags()):
            name, _, value = flag.removeprefix("--").partition("=")
            if name == key:
                return value
        return None

    def _defaults(self) -> list[str]:
        workers = self.workers
        match self.name:
            case "processes":  # 0: one a core
                return [f"--direct_num_workers={workers or 0}"]
            case "flink" | "spark":
                external = ["--environment_type=EXTERNAL", f"--environment_config={WORKER_POOL}"]
                count = [] if workers is None else [f"--parallelism={workers}"]
                return [f"--job_endpoint={JOB_ENDPOINT}", *external, *count]
            case "dataflow":
                return [] if workers is None else [f"--num_workers={workers}"]
        return []


def choose_runner(name: str, workers: int | None, options: Sequence[str]) -> Runner:
    """Returns the runner that the command line names.

    Raises:
        UserError: There is no such runner, an option is not `key=value`, or the number of workers means nothing there.
    """
    if name not in RUNNERS:
        raise UserError(f"no runner named {name!r}", where="--runner", hint=f"There are: {', '.join(RUNNERS)}")
    for option in options:
        if not _OPTION.fullmatch(option):
            hint = "Write key=value, as in --beam-option job_endpoint=localhost:8099"
            raise UserError(f"not a Beam option: {option!r}", where="--beam-option", hint=hint)
    if workers is not None and name == "direct":
        raise UserError(
            "the direct runner works only in this process", where="--workers", hint="Add --runner processes"
        )
    if workers is not None and name == "spark":
        raise UserError("Spark takes as many executors as its cluster gives", where="--workers", hint="Leave it out")
    return Runner(name, workers, tuple(options))
