"""Runs Beam pipelines on the chosen runner, and passes errors and results to the caller.

The runner is named explicitly: Beam's DirectRunner would first try to download another one.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners import create_runner
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.portable_runner import PortableRunner

from lstmlm.errors import UserError, chain
from lstmlm.processes import interrupts
from lstmlm.processes.environment import LOOPBACK, bypass_proxy
from lstmlm.runners.runner import FOLDER, Runner
from lstmlm.storage import place

_BEAM_LOGGER = logging.getLogger("apache_beam.runners.common")
_CONNECT_SECONDS = 5.0
# The last line of a Python traceback, as a worker elsewhere sends it. Beam adds its step to copies, not to the first.
_REPORTED = re.compile(
    r"^lstmlm\.errors\.(?:UserError|BelowThreshold): (.+?)(?: \[while running '.*'\])?$", re.MULTILINE
)


def run_pipeline(build: Callable[[beam.Pipeline], object], runner: Runner | None = None) -> None:
    """Builds a pipeline, runs it and waits for its end.

    What the transforms read and write must be stored where their workers see it: on a cluster, a shared file system.

    Args:
        build: Applies the transforms to the pipeline it is given.
        runner: Where to run; absent: in this process.

    Raises:
        UserError: A transform raised it; it arrives as it was raised, without Beam's additions. From another process
            it comes as one line in `what`. Or: no cluster answers where the runner says.
    """
    place = runner or Runner()
    engine, options = _engine(place), _options(place)
    faults = PipelineOptionsValidator(options, engine).validate()
    if faults:
        what = " ".join(" ".join(faults).split()).rstrip(".")
        raise UserError(what, where="--beam-option", hint="Add it: --beam-option KEY=VALUE")
    _BEAM_LOGGER.addFilter(_is_not_user_error)
    try:
        # Beam reads sys.argv unless it is given flags.
        with beam.Pipeline(runner=engine, options=options) as pipeline:
            build(pipeline)
    except Exception as error:
        interrupts.check(error)  # Beam raises a copy with its step's name, of another type
        original = find_user_error(error)
        if original is None:
            raise
        raise original from None
    finally:
        _BEAM_LOGGER.removeFilter(_is_not_user_error)


def _engine(runner: Runner) -> Any:
    """Returns Beam's runner.

    Raises:
        UserError: It cannot be reached from here.
    """
    if runner.name == "direct":
        return FnApiRunner()
    if runner.name == "processes":
        from lstmlm.runners.local_workers import ProcessEnvironment

        bypass_proxy(LOOPBACK)
        return FnApiRunner(default_environment=ProcessEnvironment())
    if runner.name == "dataflow":
        if importlib.util.find_spec("apitools") is None:
            hint = "Install the extra: pip install 'lstmlm[gcs]'"
            raise UserError("Dataflow needs Beam's Google Cloud parts, which are not installed", hint=hint)
        return create_runner("DataflowRunner")
    _answers(runner.option("job_endpoint") or "", runner.name)
    return PortableRunner()


def _answers(address: str, cluster: str) -> None:
    """Checks that something listens there; Beam itself would wait for a minute and end in a traceback."""
    host, _, port = address.rpartition(":")
    bypass_proxy([*LOOPBACK, host.strip("[]")])
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        hint = f"Start one as deploy/{cluster}/README.md says, or name it: --beam-option job_endpoint=HOST:PORT"
        what = f"no Beam job server answers there ({getattr(error, 'strerror', None) or error})"
        raise UserError(what, where=address, hint=hint) from None


def _options(runner: Runner) -> PipelineOptions:
    """Returns Beam's options.

    Raises:
        UserError: Beam knows no such option, and no job server is there that might.
    """
    options = PipelineOptions(runner.flags())
    if runner.name in ("flink", "spark"):
        _announce_folder(options.view_as(PortableOptions))
        return options
    known = options.get_all_options()
    unknown = sorted(set(options.get_all_options(retain_unknown_options=True)) - set(known))
    if unknown:
        raise UserError(f"Beam knows no option {unknown[0]!r}", where="--beam-option", hint="Check its name")
    return options


def _announce_folder(options: PortableOptions) -> None:
    """Lets the worker pool start workers in this process's folder, where relative paths mean the same."""
    address = options.environment_config
    if options.environment_type == "EXTERNAL" and not address.startswith("{"):
        options.environment_config = json.dumps({"url": address, "params": {FOLDER: os.getcwd()}})


def find_user_error(error: BaseException) -> UserError | None:
    """Returns the first `UserError` behind an exception.

    It is the first of a chain of exceptions, for Beam raises copies with its step's name added; or, where an error
    of the chain reports a worker in another process, the one whose traceback is quoted there.
    """
    found: UserError | None = None
    quoted: UserError | None = None
    for link in chain(error):
        if isinstance(link, UserError):
            found = link
        elif quotation := _REPORTED.search(str(link)):
            quoted = UserError(quotation[1])
    return found or quoted


def _is_not_user_error(entry: logging.LogRecord) -> bool:
    # The caller shows a UserError in one line; Beam would also log a traceback.
    return not isinstance(entry.msg, UserError)


class MostFrequent(beam.PTransform):
    """Takes pairs of a key and a count, gives the keys with the largest sums, and on a tie the smallest keys."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def expand(self, pairs: beam.PCollection) -> beam.PCollection:
        """See the class; gives `[key, sum]`, at most so many, in no order."""
        sums = pairs | "Sum" >> beam.CombinePerKey(sum)
        top = sums | "Top" >> beam.combiners.Top.Of(self._most, key=_least_key, reverse=True)
        return top | "Each" >> beam.FlatMap(lambda found: [list(pair) for pair in found])


def _least_key(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


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
    place(path).write_text(json.dumps(sorted(elements), ensure_ascii=False), encoding="utf-8")
    return path


def read_json(path: Path) -> Iterator[Any]:
    """Yields what `WriteJson` wrote."""
    yield from json.loads(path.read_text(encoding="utf-8"))


def run_jobs(jobs: Sequence[Any], work: beam.DoFn, results: Path, runner: Runner | None) -> list[list[Any]]:
    """Runs a DoFn on jobs, spread over the workers, and returns the rows of JSON that it yields, sorted.

    Args:
        jobs: The elements.
        work: What is done to each.
        results: The file that the rows come back in.
        runner: Where to run; absent: in this process, without a pipeline, which would cost more than a small job.
    """
    if not jobs:
        return []
    if runner is None or runner.name == "direct":
        work.setup()
        try:
            rows = [row for job in jobs for row in work.process(job)]
        finally:
            work.teardown()
        return sorted(json.loads(json.dumps(rows)))

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Jobs" >> beam.Create(list(jobs))
            | beam.Reshuffle()
            | "Work" >> beam.ParDo(work)
            | "Results" >> WriteJson(results)
        )

    run_pipeline(build, runner)
    return list(read_json(results))
