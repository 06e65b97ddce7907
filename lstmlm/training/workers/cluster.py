"""The Ray cluster of a training run: an existing one, or a private one on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator

from lstmlm.errors import TryAgain, UserError, first_line
from lstmlm.processes import interrupts
from lstmlm.processes.addresses import is_loopback
from lstmlm.processes.interrupts import keeping_handlers
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.workers.local_ray import QUIET, local_cluster

OPTION, VARIABLE = "--ray-address", "RAY_ADDRESS"
START = "Start a cluster with `ray start --head`"
HERE = {OPTION: "leave the option out to train on this machine", VARIABLE: f"unset {VARIABLE} to train on this machine"}
VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")
HOST_PORT = re.compile(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)")
ANSWER_SECONDS = 10.0


@contextlib.contextmanager
def ray_cluster(recipe: Recipe, address: str | None) -> Iterator[None]:
    """Connects to a cluster for as long as training lasts, or starts a local one; reuses an existing connection.

    Args:
        recipe: The run.
        address: An existing cluster; None: the one in RAY_ADDRESS, or a local one for this run.

    Raises:
        TryAgain: The cluster does not answer.
        UserError: It is of another version, or too small for the recipe's workers.
    """
    wanted, source = (address, OPTION) if address else (os.environ.get(VARIABLE, "").strip(), VARIABLE)
    with contextlib.ExitStack() as stack:
        if not _is_connected():
            if wanted and wanted != "local":
                stack.enter_context(_connected(wanted, source))
            else:
                cores = max(os.cpu_count() or 1, recipe.training.fewest_workers * recipe.training.threads)
                stack.enter_context(local_cluster(cores))
        _check_resources(recipe)
        yield


def _is_connected() -> bool:
    import sys

    ray = sys.modules.get("ray")  # a local cluster sets what Ray reads when it is imported
    return ray is not None and ray.is_initialized()


@contextlib.contextmanager
def _connected(address: str, source: str) -> Iterator[None]:
    import ray

    if "://" in address and not address.startswith("ray://"):
        what = f"no Ray cluster answers at {address}: an address is HOST:PORT; a URL names a job server"
        raise UserError(what, where=source, hint=f"Name the cluster, or {HERE[source]}")
    host_port = HOST_PORT.fullmatch(address)
    try:
        if host_port:  # Ray itself would try for minutes
            socket.create_connection((host_port[1], int(host_port[2])), ANSWER_SECONDS).close()
        with keeping_handlers():
            ray.init(address=address, **QUIET)
    except Exception as error:  # Ray raises AssertionError and Exception itself
        interrupts.check(error)
        raise _refusal(error, address, source) from error
    try:
        yield
    finally:
        ray.shutdown()


def _refusal(error: Exception, address: str, source: str) -> UserError:
    """Returns what a user can do about a cluster that cannot be connected to."""
    said = str(error)
    versions = VERSIONS.findall(said)
    if len(versions) == 2:  # the cluster's, and those of this process
        (ray, python), (own_ray, own_python) = versions
        what = (
            f"the cluster at {address} runs Ray {ray} with Python {python}, and here are Ray {own_ray} and {own_python}"
        )
        hint = f"Install the same versions on both sides, or {HERE[source]}"
        return UserError(f"{what}: the version must be the same", where=source, hint=hint)
    if "uthenticat" in said or "AuthToken" in said:
        hint = f"Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on the cluster, or {HERE[source]}"
        return UserError(f"the Ray cluster at {address} asks for a token", where=source, hint=hint)
    what, hint = f"no Ray cluster answers at {address}", f"{START}, or {HERE[source]}"
    # No address at all, or one of this machine where nothing listens, as an ended cluster leaves it: both stay so.
    here = (place := HOST_PORT.fullmatch(address)) is not None and is_loopback(place[1])
    if isinstance(error, OverflowError | ValueError) or (here and isinstance(error, ConnectionRefusedError)):
        return UserError(what, where=source, hint=hint)
    return TryAgain(what if isinstance(error, OSError) else f"{what} ({first_line(error)})", where=source, hint=hint)


def _check_resources(recipe: Recipe) -> None:
    import ray

    available, training = ray.cluster_resources(), recipe.training
    workers = training.fewest_workers
    needed = {"CPU": workers * training.threads, "GPU": workers if training.use_gpu else 0}
    for kind, count in needed.items():
        if available.get(kind, 0) < count:
            what = f"the Ray cluster has {available.get(kind, 0):.0f} {kind}, but the workers need {count}"
            raise UserError(what, where="training.workers", hint="Lower training.workers or training.threads")
