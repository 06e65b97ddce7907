"""The Ray cluster that a training run uses: one that is there, or one of its own on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

from lstmlm.errors import UserError
from lstmlm.recipe import Recipe

CURE = "Start a cluster with `ray start --head`, or leave the address out to train on this machine"
QUIET: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
STARTS = 3
START_TIMEOUT = re.compile("timed out during startup|timed out waiting for|failed to start GCS", re.IGNORECASE)
ANSWER_SECONDS = 10.0


@contextlib.contextmanager
def ray_cluster(recipe: Recipe, address: str | None) -> Iterator[None]:
    """Connects to a cluster for as long as training lasts, or starts a local one; leaves a running connection be.

    Args:
        recipe: The run.
        address: An existing cluster; None: the one in RAY_ADDRESS, or a local one for this run.

    Raises:
        UserError: The cluster is not there, or too small for the recipe's workers.
    """
    import ray

    if ray.is_initialized():
        _check_resources(ray.cluster_resources(), recipe)
        yield
        return
    wanted = address or os.environ.get("RAY_ADDRESS")
    if wanted:
        _connect(wanted)
    else:
        _start(max(os.cpu_count() or 1, recipe.training.fewest_workers * recipe.training.threads))
    try:
        _check_resources(ray.cluster_resources(), recipe)
        yield
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    import ray

    host_port = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", address)
    try:
        if host_port:  # Ray itself would try for minutes
            socket.create_connection((host_port[1], int(host_port[2])), ANSWER_SECONDS).close()
        ray.init(address=address, **QUIET)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise UserError(f"no Ray cluster answers at {address}", where="--ray-address", cure=CURE) from error


def _start(cores: int) -> None:
    """Starts a cluster on this machine.

    Ray gives its control store 30 s to name its port, then the node 30 s to appear. Neither can be set, and both are
    too little on a busy machine or when its files are read for the first time: then it is tried again.
    """
    import ray

    os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")  # its patience with its own parts, which can be
    for _ in range(STARTS):
        try:
            # "local", so that a cluster somebody else started on this machine is not taken instead.
            ray.init(address="local", num_cpus=cores, include_dashboard=False, object_store_memory=200_000_000, **QUIET)
        except Exception as error:  # Ray raises Exception itself
            if not START_TIMEOUT.search(str(error)):
                raise
        else:
            return
    cure = "Free the machine from other work, or start a cluster with `ray start --head` and name it"
    raise UserError(f"Ray did not start on this machine, in {STARTS} attempts of 30 s", cure=cure)


def _check_resources(available: dict[str, float], recipe: Recipe) -> None:
    training = recipe.training
    workers = training.fewest_workers
    needed = {"CPU": workers * training.threads, "GPU": workers if training.use_gpu else 0}
    for kind, count in needed.items():
        if available.get(kind, 0) < count:
            what = f"the Ray cluster has {available.get(kind, 0):.0f} {kind}, and the workers need {count}"
            raise UserError(what, where="training.workers", cure="Lower training.workers or training.threads")
