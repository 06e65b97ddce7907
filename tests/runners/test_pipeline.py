"""Errors and results of a pipeline reach the caller."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from lstmlm.errors import UserError
from lstmlm.runners.pipeline import WriteJson, find_user_error, read_json, run_pipeline
from lstmlm.runners.runner import Runner, choose_runner


def fail(_: Any) -> None:
    raise UserError("bad line", where="a.txt:3", hint="Fix it")


def test_user_error_of_a_transform_arrives_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(UserError) as caught:
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(fail))
    assert (caught.value.what, caught.value.where, caught.value.hint) == ("bad line", "a.txt:3", "Fix it")
    assert "Traceback" not in caplog.text


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        run_pipeline(lambda pipeline: pipeline | beam.Create([0]) | beam.Map(lambda x: 1 / x))


def test_user_error_is_found_behind_other_errors() -> None:
    original = UserError("bad", where="here")
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = ValueError("between")
    wrapped.__cause__.__context__ = original
    assert find_user_error(wrapped) is original
    assert find_user_error(ValueError()) is None


@pytest.mark.parametrize("elements", [[], [("b", 2), ("a", 1)]])
def test_results_are_sorted_and_an_empty_list_is_written_too(tmp_path: Path, elements: list[Any]) -> None:
    path = tmp_path / "results.json"
    run_pipeline(lambda pipeline: pipeline | beam.Create(elements) | WriteJson(path))
    assert list(read_json(path)) == [list(element) for element in sorted(elements)]


TRACEBACK = """Error received from SDK harness for instruction 4: Traceback (most recent call last):
  File "common.py", line 1, in invoke_process
lstmlm.errors.UserError: a.txt:3: bad line. Fix it

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
lstmlm.errors.UserError: a.txt:3: bad line. Fix it [while running 'Parts-ptransform-7']
"""


@pytest.mark.parametrize("text", [TRACEBACK, TRACEBACK[TRACEBACK.index("During") :]])
def test_user_error_quoted_from_another_process_is_found(text: str) -> None:
    outer = ValueError("pipeline failed")
    outer.__cause__ = RuntimeError(text)
    found = find_user_error(outer)
    assert str(found) == "a.txt:3: bad line. Fix it"


def test_another_error_quoted_from_another_process_is_none_of_the_users() -> None:
    assert find_user_error(RuntimeError(TRACEBACK.replace("UserError", "OtherError"))) is None
    assert find_user_error(RuntimeError("it said lstmlm.errors.UserError: no")) is None


def test_nobody_at_the_job_endpoint_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    place = choose_runner("flink", None, [f"job_endpoint={address}"])
    with pytest.raises(UserError, match=r"no Beam job server answers.*deploy/flink/README\.md") as caught:
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]), place)
    assert caught.value.where == address
    assert "\n" not in str(caught.value)


def test_an_option_that_beam_does_not_know_is_refused() -> None:
    with pytest.raises(UserError, match="Beam knows no option 'paralelism'"):
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]), Runner(options=("paralelism=2",)))


def test_an_option_that_dataflow_needs_is_asked_for() -> None:
    pytest.importorskip("apitools", reason="Beam's Google Cloud parts are not installed")
    with pytest.raises(UserError, match=r"--beam-option: .*temp_location.*project") as caught:
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]), Runner("dataflow"))
    assert "\n" not in str(caught.value)
