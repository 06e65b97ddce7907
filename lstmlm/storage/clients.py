"""The clients of object stores: one fsspec filesystem per scheme and process, with timeouts and retries.

Endpoint, region and keys come from where the clients of the stores look for them (`AWS_ENDPOINT_URL`,
`AWS_DEFAULT_REGION`, `AWS_PROFILE`, `GOOGLE_APPLICATION_CREDENTIALS`, ...), in every process anew: none of them is
passed on, so none is in a manifest, a pipeline or a log.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import socket
import urllib.parse
from collections.abc import Mapping
from typing import Any

from lstmlm.errors import UserError

EXTRAS: Mapping[str, str] = {"s3": "s3", "gs": "gcs"}
"""Scheme of a store -> the extra of this package that brings its client."""

BLOCK_BYTES = 8 << 20
"""What is read at a time, and the size of a part of a multipart write: 10,000 parts at most, so objects up to 80 GB."""

_PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 5.0, 60.0, 8
_LOOK_SECONDS = 10.0
"""How long the first look at a store may take: what is wrong with an address is reported within 15 seconds."""


def filesystem(scheme: str) -> Any:
    """Returns the fsspec filesystem of a store, the same for all of a process.

    Raises:
        UserError: The scheme is not one of a store, or its client is not installed.
    """
    return _filesystem(scheme, os.getpid())


@functools.cache
def _filesystem(scheme: str, process: int) -> Any:
    """Makes a filesystem; a process that was forked needs its own, for its threads are not copied."""
    if scheme not in EXTRAS:
        raise UserError(f"URLs of {scheme}:// cannot be used here", hint="Name a folder, or a URL of s3:// or gs://")
    if importlib.util.find_spec(_PACKAGES[scheme]) is None:
        hint = f"Install it: pip install 'lstmlm[{EXTRAS[scheme]}]'"
        raise UserError(f"{scheme}:// needs {_PACKAGES[scheme]}, which is not installed", hint=hint)
    import fsspec

    return fsspec.filesystem(scheme, **_options(scheme))


def _options(scheme: str, *, read_seconds: float = _READ_SECONDS, tries: int = _TRIES) -> dict[str, Any]:
    # Without a cache of listings: other machines write there too.
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme != "s3":
        return options
    # Standard: throttling, errors of the server, resets and timeouts are tried again, after a random, growing time.
    retries = {"mode": "standard", "total_max_attempts": tries}
    times = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": read_seconds}
    options["config_kwargs"] = {**times, "retries": retries, "max_pool_connections": 32}
    return options | {"session": _session()}


def _session() -> Any:
    """Returns a session of botocore that sends a body without asking whether it may.

    `Expect: 100-continue` costs a round trip for each write, and the wait for its answer has no timeout (aiohttp).
    """
    from aiobotocore.session import AioSession
    from botocore.handlers import add_expect_header

    session = AioSession()
    session.unregister("before-call.s3", add_expect_header)
    return session


def forget() -> None:
    """Forgets the clients of this process, so that the next ones read the environment again."""
    _filesystem.cache_clear()
    _answers.cache_clear()


def check_answers(scheme: str) -> None:
    """Checks, once per process, that something listens at the endpoint that the environment names.

    Raises:
        UserError: Nothing does; the client of the store would try for minutes.
    """
    if scheme == "s3":
        for name in _S3_ENDPOINTS:
            if os.environ.get(name):
                _answers(name, os.environ[name])
                return


@functools.cache
def _answers(variable: str, url: str) -> None:
    address = urllib.parse.urlsplit(url)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), _LOOK_SECONDS).close()
    except (OSError, ValueError) as error:
        what = f"nothing answers at {url} ({getattr(error, 'strerror', None) or error})"
        raise UserError(what, where=variable, hint="Check the address, or unset the variable") from None


def hasty(scheme: str) -> Any:
    """Returns a client that gives up within 15 seconds, to look at a store before any work."""
    import fsspec

    client = fsspec.filesystem(scheme, **_options(scheme, read_seconds=_LOOK_SECONDS, tries=1))
    client.retries = 1  # its own, in addition
    return client
