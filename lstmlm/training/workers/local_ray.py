"""A private Ray cluster on this machine, which ends with the training run.

Ray listens on every address without authentication, and anyone who reaches it can run code. Here it listens on
127.0.0.1, and takes nobody without a secret that only this process and its children know.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmlm.errors import TryAgain, UserError, first_line
from lstmlm.processes.interrupts import keeping_handlers
from lstmlm.training.workers.ray_start import end_processes, on_loopback, with_named_ports

QUIET: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
STARTS = 3
START_TIMEOUT = re.compile("timed out during startup|timed out waiting for|failed to start GCS", re.IGNORECASE)
OBJECT_STORE_BYTES = 200_000_000
SHARED_MEMORY = Path("/dev/shm")
PATIENCE = {
    "RAY_raylet_start_wait_time_s": "180",
    "RAY_agent_register_timeout_ms": "180000",  # by itself Ray ends where its Python takes 15 s to start
}
PREFIX = "lray-"
LOCK = ".lock"
LONGEST_FOLDER = 107 - len(f"/{PREFIX}12345678/session_2026-01-31_12-00-00_123456_1234567/sockets/plasma_store")
"""Letters of the path that Ray's folder can be made in: Linux takes 107 for that of a socket."""
REASON = re.compile(r"Check failed: .*|.*(?:agent|GCS).*(?:fail|timed out|exited).*", re.IGNORECASE)


@contextlib.contextmanager
def local_cluster(cores: int) -> Iterator[None]:
    """Starts a cluster on this machine, and connects to it.

    Ray gives a node 30 s to appear, which cannot be set and is too little on a busy machine or when its files are read
    for the first time: then it is tried again.

    Args:
        cores: CPUs that it has to give.

    Raises:
        TryAgain: Ray does not start here.
        UserError: It finds no folder for its sockets.
    """
    with (
        _folder() as folder,
        _environment({**PATIENCE, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _secret()}),
    ):
        import ray

        _check_token()
        try:
            _start(cores, folder)
            yield
        finally:
            ray.shutdown()


def _start(cores: int, folder: Path) -> None:
    import ray

    options: dict[str, Any] = {"num_cpus": cores, "include_dashboard": False, "_temp_dir": str(folder), **QUIET}
    options |= {"object_store_memory": OBJECT_STORE_BYTES}
    if not _has_shared_memory():
        options["_plasma_directory"] = str(folder)
    for _ in range(STARTS):
        try:
            # "local", so that a cluster somebody else started on this machine is not taken instead.
            with keeping_handlers(), on_loopback(), with_named_ports() as ports:
                ray.init(address="local", **options, **ports)
        except Exception as error:  # Ray raises Exception itself
            if not START_TIMEOUT.search(str(error)):
                raise
            last = error
            end_processes(folder)
        else:
            return
    hint = "Free the machine from other work, or start a cluster with `ray start --head` and name it"
    reason = _reason(folder) or first_line(last)
    raise TryAgain(f"Ray did not start on this machine, in {STARTS} attempts of 30 s ({reason})", hint=hint) from last


def _reason(folder: Path) -> str:
    """Returns why Ray's own processes ended, as their logs say; empty: they do not."""
    for name in ("raylet.out", "raylet.err", "gcs_server.out"):
        for log in sorted(folder.glob(f"session_2*/logs/{name}"), reverse=True):
            found = REASON.findall(log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return f"{name}: {found[-1][:200]}"
    return ""


@functools.cache
def _secret() -> str:
    """Returns the secret of this process's clusters: Ray's client reads it once, and shows the same to a later one."""
    return secrets.token_hex(32)


def _check_token() -> None:
    """Checks that Ray sees the secret: it reads the environment once, when it is imported."""
    from ray._raylet import AuthenticationMode, get_authentication_mode  # type: ignore[attr-defined]

    if get_authentication_mode() != AuthenticationMode.TOKEN:
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):  # its processes would refuse this one
            os.environ.pop(name)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _has_shared_memory() -> bool:
    """Says whether Ray's object store fits into shared memory; containers give 64 MB of it, or none."""
    try:
        free = os.statvfs(SHARED_MEMORY)
    except OSError:
        return False
    return os.access(SHARED_MEMORY, os.W_OK) and free.f_bavail * free.f_bsize > OBJECT_STORE_BYTES


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Makes Ray's folder where its sockets' paths are short enough, and removes it at the end.

    Raises:
        UserError: There is no such place.
    """
    given = [os.environ[name] for name in ("RAY_TMPDIR", "TMPDIR") if os.environ.get(name)]
    for parent in dict.fromkeys([*given, tempfile.gettempdir(), "/tmp", "/var/tmp", str(SHARED_MEMORY)]):
        if len(os.fsencode(parent)) > LONGEST_FOLDER or not os.path.isabs(parent):
            continue
        _sweep(Path(parent))
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            break
    else:
        what = f"Ray finds no folder for its sockets: none that can be written has a path of {LONGEST_FOLDER} or less"
        raise UserError(what, where="TMPDIR", hint="Set TMPDIR to a short path")
    try:
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Removes the folders of runs that were killed: those whose lock nobody holds any more."""
    for left in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (left / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if left.stat().st_uid == os.geteuid():
                shutil.rmtree(left, ignore_errors=True)
