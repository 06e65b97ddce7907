"""An S3 server in a process of its own, for the benchmark of object stores."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextlib.contextmanager
def served(bucket: str) -> Iterator[str]:
    """Yields the endpoint of a server with one bucket, which the environment of this process names too.

    Args:
        bucket: The name of the bucket.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, port)
        os.environ.update(KEYS | {"AWS_ENDPOINT_URL": url})
        client().create_bucket(Bucket=bucket)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the S3 server did not start")


def client() -> Any:
    """Returns a client that has nothing to do with this project's."""
    import boto3

    return boto3.client("s3")


def keys(bucket: str, prefix: str = "") -> list[str]:
    """Returns the keys of a bucket that begin with a prefix."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]
