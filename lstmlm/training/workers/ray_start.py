"""How Ray starts on this machine, where `ray.init` has no option for it: the address, the ports, a failed start."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

_LISTEN = "dashboard_agent_listen_port"
PORTS = ("gcs_server_port", "metrics_agent_port", _LISTEN, "runtime_env_agent_port")
"""Parameters of Ray's node that are ports, and that `ray.init` has no option for."""
_ENDS_IN = 10.0
"""Seconds that a process has to end in before it is killed."""


@contextlib.contextmanager
def on_loopback() -> Iterator[None]:
    """Has a cluster started inside the block listen on 127.0.0.1: Ray's own way on Windows and macOS.

    `_node_ip_address="127.0.0.1"` would not do: Ray puts an address in its place that other machines can reach. It also
    spares Ray the look-up of this machine's name, which a machine without a network cannot answer.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextlib.contextmanager
def with_named_ports() -> Iterator[dict[str, int]]:
    """Names the ports of a cluster started inside the block in advance; gives the options of `ray.init` for this.

    Without names each of Ray's processes chooses a port and writes it to a file, which the others wait for: 15 s for
    those of its agents, which are Python programs and take longer to start on a busy machine, and 30 s for that of its
    control store. Neither can be set.
    """
    from ray._private import parameter, services

    metrics, *ports = _free_ports(1 + len(PORTS))
    named = dict(zip(PORTS, ports, strict=True))
    of_node, start = parameter.RayParams, services.start_ray_process

    def start_process(command: list[str], process_type: str, *arguments: Any, **options: Any) -> Any:
        if process_type == "raylet":  # Ray names this port to the agent, and not to the raylet, which waits for it
            command = [*command, f"--{_LISTEN}={named[_LISTEN]}"]
        return start(command, process_type, *arguments, **options)

    parameter.RayParams = functools.partial(of_node, **named)
    services.start_ray_process = start_process
    try:
        yield {"_metrics_export_port": metrics}
    finally:
        parameter.RayParams, services.start_ray_process = of_node, start


def end_processes(folder: Path) -> None:
    """Ends the processes of a cluster whose start failed: Ray leaves them, and they slow down the next attempt.

    Args:
        folder: The cluster's temporary folder, which its processes are called with.
    """
    left = [child for child in psutil.Process().children(recursive=True) if _names(child, str(folder))]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=_ENDS_IN)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _names(process: psutil.Process, folder: str) -> bool:
    try:
        return any(folder in argument for argument in process.cmdline())
    except psutil.Error:
        return False


def _free_ports(count: int) -> list[int]:
    """Returns ports of 127.0.0.1 that nobody listens on, all different."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
