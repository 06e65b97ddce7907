"""What reaches the caller of a pipeline."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from lstmlm.beam import WriteJson, find_user_error, read_json, run_pipeline
from lstmlm.errors import UserError


def fail(_: Any) -> None:
    raise UserError("bad line", where="a.txt:3", cure="Mend it")


def test_user_error_of_a_transform_arrives_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(UserError) as caught:
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(fail))
    assert (caught.value.what, caught.value.where, caught.value.cure) == ("bad line", "a.txt:3", "Mend it")
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
