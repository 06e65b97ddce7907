"""A store that refuses, resets and does not answer: the same bytes, or one line."""

from __future__ import annotations

import random
import socket
from typing import Any

import pytest
from faulty_store import faulty

from lstmlm.errors import TryAgain, UserError
from lstmlm.storage import StorePath
from lstmlm.storage.check import check_writable
from lstmlm.storage.clients import BLOCK_BYTES, forget
from lstmlm.storage.faults import fault_of, reported

pytestmark = pytest.mark.slow

DATA = random.Random(2).randbytes(3 * BLOCK_BYTES)


def through(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    forget()


def test_a_tenth_of_the_requests_refused_changes_nothing(
    bucket: StorePath, store_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty(store_server, refused=0.1, reset=0.05, cut=0.1) as proxy:
        through(proxy.url, monkeypatch)
        for number in range(40):
            path = bucket / "small" / f"{number:02d}"
            path.write_bytes(b"%d" % number)
            assert path.read_bytes() == b"%d" % number
            assert path.with_name(f"{number:02d}.once").create(b"mine %d" % number)
        for number in range(4):
            with (bucket / f"large-{number}").open("wb") as stream:
                stream.write(DATA)
            with (bucket / f"large-{number}").open("rb") as stream:
                assert stream.read() == DATA
        assert len((bucket / "small").below()) == 80
        assert min(proxy.faults[name] for name in ("refused", "reset", "cut")) > 0


def test_an_endpoint_that_refuses_every_connection_is_one_line(
    bucket: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    through("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(UserError, match=r"nothing answers at http://127\.0\.0\.1:9") as caught:
        check_writable(bucket / "out")
    assert caught.value.where == "AWS_ENDPOINT_URL"


@pytest.mark.timeout(120)
def test_an_endpoint_that_accepts_and_never_answers_is_one_line(
    bucket: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        through(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        with pytest.raises(TryAgain, match="does not answer") as caught:
            check_writable(bucket / "out")
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_bucket_is_reported_before_any_work(bucket: StorePath) -> None:
    with pytest.raises(UserError, match="there is no bucket 'absent'"):
        check_writable(StorePath("s3://absent/out"))


class _Answer(Exception):
    """An error as botocore raises it."""

    def __init__(self, code: str, headers: dict[str, str] | None = None) -> None:
        self.response: dict[str, Any] = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPHeaders": headers or {}}}
        super().__init__(code)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (_Answer("AccessDenied"), "permission denied by the store"),
        (_Answer("PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"}), r"another region \(eu-west-1\)"),
        (_Answer("AuthorizationHeaderMalformed"), "another region"),
        (_Answer("ExpiredToken"), "missing, wrong or expired"),
        (_Answer("SignatureDoesNotMatch"), "missing, wrong or expired"),
        (_Answer("SlowDown"), "does not answer"),
    ],
)
def test_each_answer_of_a_store_is_one_line(error: Exception, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught, reported("s3://bucket/out"):
        raise OSError(5, "Input/output error") from error
    assert caught.value.where == "s3://bucket/out"
    assert caught.value.hint
    assert len(str(caught.value).splitlines()) == 1


def test_other_errors_stay_what_they_are() -> None:
    assert fault_of(ZeroDivisionError(), "s3://bucket/out") is None
    with pytest.raises(FileNotFoundError), reported("s3://bucket/out"):
        raise FileNotFoundError("s3://bucket/out")
