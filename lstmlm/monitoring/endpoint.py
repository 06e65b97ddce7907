"""The address that Prometheus scrapes while a command works."""

from __future__ import annotations

import wsgiref.simple_server

from prometheus_client import start_http_server

from lstmlm.errors import UserError
from lstmlm.monitoring.metrics import StageMetrics

_OPTION = "--metrics"


def parse_address(text: str) -> tuple[str, int]:
    """Returns the host and the port of `PORT` or `HOST:PORT`; the host is this machine's own where none is named.

    Raises:
        UserError: It is neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UserError(f"{text!r} is no address", where=_OPTION, hint="Write PORT or HOST:PORT, such as 9464")
    return host.strip("[]") or "127.0.0.1", int(port)


def start(address: str) -> tuple[StageMetrics, int]:
    """Serves metrics in a thread until the process ends.

    Args:
        address: `PORT` or `HOST:PORT`; port 0 takes a free one.

    Returns:
        What is served, and the port.

    Raises:
        UserError: It is no address, or not to be had.
    """
    host, port = parse_address(address)
    metrics = StageMetrics()
    try:
        server: wsgiref.simple_server.WSGIServer
        server, _ = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        what = f"{host}:{port} cannot be listened on ({error.strerror or error})"
        raise UserError(what, where=_OPTION, hint="Name another port; 0 takes a free one") from None
    return metrics, server.server_port
