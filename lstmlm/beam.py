"""Runs Beam pipelines in this process, with errors and results that reach the caller.

The runner is named explicitly: Beam's DirectRunner would first try to download another one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from lstmlm.errors import UserError

_BEAM_LOGGER = logging.getLogger("apache_beam.runners.common")


def run_pipeline(build: Callable[[beam.Pipeline], object]) -> None:
    """Builds a pipeline, runs it in this process and waits for its end.

    Args:
        build: Applies the transforms to the pipeline it is given.

    Raises:
        UserError: A transform raised it; it arrives as it was raised, without Beam's additions.
    """
    _BEAM_LOGGER.addFilter(_is_not_user_error)
    try:
        # Beam reads sys.argv unless it is given flags.
        with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
            build(pipeline)
    except Exception as error:
        original = find_user_error(error)
        if original is None:
            raise
        raise original from None
    finally:
        _BEAM_LOGGER.removeFilter(_is_not_user_error)


def find_user_error(error: BaseException) -> UserError | None:
    """Returns the first `UserError` raised in a chain of exceptions: Beam raises copies with its step's name added."""
    found: UserError | None = None
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, UserError):
            found = link
        link = link.__cause__ or link.__context__
    return found


def _is_not_user_error(entry: logging.LogRecord) -> bool:
    # The caller shows a UserError in one line; Beam would log a traceback beside it.
    return not isinstance(entry.msg, UserError)


class WriteJson(beam.PTransform):
    """Writes a small collection as one sorted JSON list: the way results of a pipeline reach its caller."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def expand(self, collection: beam.PCollection) -> beam.PCollection:
        """Takes JSON values that can be compared with each other; returns the path, once."""
        ends = collection.pipeline | "One" >> beam.Create([None])
        # A side input, not a GroupByKey: an empty collection must leave an empty list behind.
        return ends | "Write" >> beam.Map(_write_json, path=self._path, elements=beam.pvalue.AsIter(collection))


def _write_json(_: None, path: str, elements: Iterable[Any]) -> str:
    Path(path).write_text(json.dumps(sorted(elements), ensure_ascii=False), encoding="utf-8")
    return path


def read_json(path: Path) -> Iterator[Any]:
    """Yields what `WriteJson` wrote."""
    yield from json.loads(path.read_text(encoding="utf-8"))
