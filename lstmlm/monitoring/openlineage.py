"""Events of OpenLineage, for Marquez, DataHub and others: https://openlineage.io/docs/spec/object-model.

They are sent where OpenLineage's own variables say so (`OPENLINEAGE_URL`, `OPENLINEAGE_CONFIG`, ...), by its client.
A reader that is away never fails the work: it is reported once, and no further events are sent.
"""

from __future__ import annotations

import datetime
import importlib.util
import logging
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lstmlm import __version__
from lstmlm.errors import causes, first_line
from lstmlm.monitoring.datasets import input_dataset, output_dataset
from lstmlm.processes import interrupts

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import InputDataset, Job, RunState
    from openlineage.client.facet_v2 import RunFacet

PRODUCER = "https://pypi.org/project/lstmlm/"
_VARIABLES = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
_NESTED = "OPENLINEAGE__"
"""How the client's variables for single settings begin."""
_NAMESPACE, _PARENT, _OFF = "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_PARENT_ID", "OPENLINEAGE_DISABLED"
_LOG = logging.getLogger(__name__)


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Says whether the environment names a reader of events."""
    if environment.get(_OFF, "").lower() == "true":
        return False
    return any(environment.get(name) for name in _VARIABLES) or any(name.startswith(_NESTED) for name in environment)


class Events:
    """Sends the events of one run of a recipe: each stage is a run of a job of its own, whose parent is the recipe.

    As a context it sends, of every stage in work when the block ends by an exception, that it failed. Where nobody
    wants events it sends none.

    Args:
        recipe: Its name.
        run: What the stages of one run have in common, such as the folder of the run and the run id.
    """

    def __init__(self, recipe: str, run: str) -> None:
        self._recipe = recipe
        self._namespace = os.environ.get(_NAMESPACE) or "lstmlm"
        self._parent = _parent_of(self._namespace, recipe, run)
        self._runs: dict[str, tuple[str, list[InputDataset]]] = {}
        self._client: OpenLineageClient | None = None
        self._off = not wanted()
        if not self._off and importlib.util.find_spec("openlineage") is None:
            _LOG.warning("the environment asks for OpenLineage events; install their client: lstmlm[openlineage]")
            self._off = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._failed(error)

    @property
    def active(self) -> bool:
        """Whether events are sent: what they need can be left out where they are not."""
        return not self._off

    def started(self, stage: str, inputs: Sequence[Path]) -> None:
        """Sends that a stage starts.

        Args:
            stage: Its name.
            inputs: The folders and files that it reads.
        """
        if self._off:
            return
        from openlineage.client.event_v2 import RunState
        from openlineage.client.uuid import generate_new_uuid

        self._runs[stage] = (str(generate_new_uuid()), [input_dataset(place) for place in inputs])
        self._send(stage, RunState.START)

    def completed(self, stage: str, output: Path | None) -> None:
        """Sends that a stage has finished, and what it published."""
        if self._off or stage not in self._runs:
            return
        from openlineage.client.event_v2 import RunState

        self._send(stage, RunState.COMPLETE, output)
        del self._runs[stage]

    def _failed(self, error: BaseException) -> None:
        """Sends, of every stage in work, that it failed, or that somebody stopped it.

        Without a stack trace: what it quotes may be personal data of the corpus.
        """
        if self._off:
            return
        from openlineage.client.event_v2 import RunState
        from openlineage.client.facet_v2 import error_message_run

        message = error_message_run.ErrorMessageRunFacet(f"{type(error).__name__}: {first_line(error)}", "python")
        stopped = bool(interrupts.received()) or not isinstance(error, Exception)
        for stage in list(self._runs):
            if stopped:
                self._send(stage, RunState.ABORT)
            else:
                self._send(stage, RunState.FAIL, errorMessage=message)
            del self._runs[stage]

    def _send(self, stage: str, state: RunState, output: Path | None = None, **facets: RunFacet) -> None:
        from openlineage.client.event_v2 import Run, RunEvent

        run, inputs = self._runs[stage]
        event = RunEvent(
            eventType=state,
            eventTime=datetime.datetime.now(datetime.UTC).isoformat(),
            run=Run(runId=run, facets={**self._run_facets(), **facets}),
            job=self._job(stage),
            inputs=inputs,
            outputs=[] if output is None else [output_dataset(output)],
            producer=PRODUCER,
        )
        try:
            self._client = self._client or _client()
            self._client.emit(event)
        except Exception as error:
            self._off = True
            reasons = (link.strerror for link in causes(error) if isinstance(link, OSError) and link.strerror)
            reason = next(reasons, first_line(error))
            _LOG.warning("OpenLineage events are not sent (%s); the work continues", reason)

    def _job(self, stage: str) -> Job:
        from openlineage.client.event_v2 import Job
        from openlineage.client.facet_v2 import job_type_job

        kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="LSTMLM", jobType="STAGE")
        return Job(namespace=self._namespace, name=f"{self._recipe}.{stage}", facets={"jobType": kind})

    def _run_facets(self) -> dict[str, RunFacet]:
        from openlineage.client.facet_v2 import parent_run, processing_engine_run

        namespace, name, run = self._parent
        parent = parent_run.ParentRunFacet(parent_run.Run(runId=run), parent_run.Job(namespace, name))
        engine = processing_engine_run.ProcessingEngineRunFacet(__version__, "lstmlm", __version__)
        return {"parent": parent, "processing_engine": engine}


def _parent_of(namespace: str, recipe: str, run: str) -> tuple[str, str, str]:
    """Returns namespace, job and run id of the parent: those that a scheduler names, or the recipe's."""
    namespace_and_job, _, given = os.environ.get(_PARENT, "").rpartition("/")
    outer, _, job = namespace_and_job.rpartition("/")
    if outer and job and given:
        return outer, job, given
    return namespace, recipe, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}{recipe}/{run}"))


def _client() -> OpenLineageClient:
    from openlineage.client import OpenLineageClient, set_producer

    set_producer(PRODUCER)
    return OpenLineageClient()
