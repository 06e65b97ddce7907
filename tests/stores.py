"""An S3 server in a process of its own, and buckets in it; a plugin of `conftest.py`."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import wait_until

if TYPE_CHECKING:
    from lstmlm.storage import StorePath

_numbers = itertools.count(1)


def free_port() -> int:
    """Returns a port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Says whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def uploaded(folder: Path, target: StorePath) -> StorePath:
    """Publishes a finished folder in a store too."""
    from lstmlm.publish.folder import publish, read_manifest

    manifest = read_manifest(folder)
    with publish(target, manifest.kind, manifest.fingerprint) as draft:
        for name in manifest.files:
            (draft.path / name).write_bytes((folder / name).read_bytes())
        draft.facts = manifest.facts
    return target


@pytest.fixture(scope="session")
def store_server() -> Iterator[str]:
    """The endpoint of an S3 server."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or listens(port), "the S3 server")
        assert process.poll() is None, "the S3 server ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def store_environment(store_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Sets what the clients of S3 read, for this process and those that it starts."""
    from lstmlm.storage.clients import forget

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-store",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": store_server,
    }.items():
        monkeypatch.setenv(name, value)
    forget()
    yield store_server
    forget()


@pytest.fixture
def s3(store_environment: str) -> Any:
    """A client that has nothing to do with this project's."""
    import boto3

    return boto3.client("s3", endpoint_url=store_environment)


@pytest.fixture
def bucket(s3: Any) -> StorePath:
    """A bucket with nothing in it."""
    from lstmlm.storage import StorePath

    name = f"bucket-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return StorePath(f"s3://{name}")


def keys(s3: Any, bucket: StorePath) -> list[str]:
    """Returns all keys of a bucket."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]
