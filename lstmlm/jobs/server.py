"""The job server of a Ray cluster: asked again while it does not answer, and each refusal is one line."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import aiohttp
import ray
import requests
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobSubmissionClient

from lstmlm.errors import TryAgain, UserError, first_line

OPTION, VARIABLE = "--address", "RAY_API_SERVER_ADDRESS"
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
SILENCE_SECONDS = 30.0
"""How long a connection that streams a log may be silent: a machine that lost its power closes none."""
STOP_SECONDS = 60.0
"""How long a job that was asked to stop may take to end."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STATUS = re.compile(r"status code (\d+)|^(\d+) \w+ Error")
"""The HTTP status in the text of an error: of Ray's, and of those that `requests` raises."""
AWAY = (502, 503, 504)
"""What a proxy answers while the server behind it does not."""
_Answer = TypeVar("_Answer")


class JobServer:
    """Ray's job client with a limit of time for every answer.

    Args:
        address: URL of the dashboard of the head node, such as `http://127.0.0.1:8265`.
        patience: Seconds to ask again for, with growing pauses, while the server does not answer.
        waiting: Called with the reason when that begins.

    Raises:
        TryAgain: The server does not answer.
        UserError: The address is wrong, the server refuses the token, or the cluster has another version of Ray.
    """

    def __init__(self, address: str, patience: float, waiting: Callable[[str], None]) -> None:
        self.address = job_server_url(address)
        self._patience, self._waiting = patience, waiting
        os.environ[VARIABLE] = self.address  # which Ray's client prefers to its argument, and to RAY_ADDRESS
        self._client = self._patiently(lambda: _Client(self.address))
        if self._client.version != ray.__version__:
            what = f"the cluster at {self.address} runs Ray {self._client.version}, and here is Ray {ray.__version__}"
            hint = "Install the same version on both sides"
            raise UserError(f"{what}: the version must be the same", where=OPTION, hint=hint)

    def find(self, job: str) -> JobDetails | None:
        """Returns what the cluster knows of a job; None: there is none of this submission id."""
        return self._patiently(lambda: self._client.find(job))

    def submit(self, job: str, entrypoint: str, metadata: Mapping[str, str], variables: Mapping[str, str]) -> bool:
        """Submits a job.

        Args:
            job: The submission id.
            entrypoint: What the shell of the head node runs.
            metadata: What is noted with the job.
            variables: Environment of the job, in addition to that of the node.

        Returns:
            False: there is a job of this id already, and nothing was done.
        """
        runtime = {"env_vars": dict(variables)} if variables else {}

        def ask() -> bool:
            try:
                self._client.submit_job(
                    submission_id=job, entrypoint=entrypoint, metadata=dict(metadata), runtime_env=runtime
                )
            except RuntimeError:  # Ray keeps one job of an id, and names no kind of error for a second
                if self._client.find(job) is None:
                    raise
                return False
            return True

        return self._patiently(ask)

    def stop(self, job: str) -> None:
        """Stops a job, and waits until it has ended: Ray kills it where it does not end by itself.

        Raises:
            TryAgain: The server does not answer, or the job has not ended after a while.
        """
        self._patiently(lambda: self._client.stop_job(job))
        deadline = time.monotonic() + STOP_SECONDS
        while (found := self.find(job)) is not None and not found.status.is_terminal():
            if time.monotonic() > deadline:
                raise TryAgain(f"the job {job} was asked to stop and still runs", hint="Ask again in a while")
            time.sleep(FIRST_PAUSE)

    def tail(self, job: str, shown: int, show: Callable[[str], None]) -> int:
        """Shows the log of a job as it grows, until the job ends or the connection breaks.

        Args:
            job: The submission id.
            shown: Characters of the log that were shown before.
            show: Takes each new part of the log.

        Returns:
            Characters of the log that have been shown by now.
        """
        return asyncio.run(self._tail(job, shown, show))

    async def _tail(self, job: str, shown: int, show: Callable[[str], None]) -> int:
        seen, parts = 0, self._client.tail_job_logs(job)
        while True:
            try:
                part = await asyncio.wait_for(anext(parts), SILENCE_SECONDS)
            except (StopAsyncIteration, TimeoutError, aiohttp.ClientError, OSError, RuntimeError):
                return shown  # whoever follows the job asks for its status, and comes back where it still runs
            seen += len(part)
            if seen > shown:  # the server begins with the first line, whatever was shown
                show(part[-(seen - shown) :])
                shown = seen

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Asks again, with growing pauses, while the server does not answer."""
        deadline, pause, waiting = time.monotonic() + self._patience, FIRST_PAUSE, False
        while True:
            try:
                return ask()
            except (OSError, RuntimeError, AuthenticationError, ValueError) as error:  # requests' own are OSErrors
                refused = _refusal(error, self.address)
                if not isinstance(refused, TryAgain) or time.monotonic() + pause > deadline:
                    raise refused from error
                if not waiting:
                    self._waiting(refused.what)
                    waiting = True
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


class _Client(JobSubmissionClient):
    """Ray's client, which waits for an answer without a limit by itself."""

    @property
    def version(self) -> str:
        """The version of Ray on the cluster."""
        return str(self._server_ray_version)

    def find(self, job: str) -> JobDetails | None:
        """Returns a job; None: there is none of this submission id."""
        try:
            return self.get_job_info(job)
        except RuntimeError as error:
            if _status(error) == 404:
                return None
            raise

    def _do_request(self, method: str, endpoint: str, **options: Any) -> requests.Response:
        return super()._do_request(method, endpoint, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), **options)


def job_server_url(address: str) -> str:
    """Returns the URL of a job server: `HOST:PORT` means `http://HOST:PORT`.

    Raises:
        UserError: It is the address of something else.
    """
    url = address.strip() if "://" in address else f"http://{address.strip()}"
    if not re.fullmatch(r"https?://[^/\s]+/?", url):
        hint = "Name the URL of the head node's dashboard, such as http://HEAD:8265"
        raise UserError(f"{address!r} is not the address of a Ray job server", where=OPTION, hint=hint)
    return url.rstrip("/")


def _refusal(error: Exception, address: str) -> UserError:
    """Returns what a user can do about a server that does not do what it was asked."""
    if isinstance(error, AuthenticationError):
        refused = "asks for a token" if "required" in first_line(error) else "refuses the token"
        hint = "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on the cluster"
        return UserError(f"the Ray job server at {address} {refused}", where=OPTION, hint=hint)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.SSLError):
        return UserError(f"no Ray job server answers at {address} ({first_line(error)})", where=OPTION)
    status = _status(error) or 0
    if (isinstance(error, requests.exceptions.HTTPError | ValueError) and status not in AWAY) or status == 404:
        hint = "Name the URL of the head node's dashboard, such as http://HEAD:8265"
        return UserError(f"what answers at {address} is no Ray job server", where=OPTION, hint=hint)
    if isinstance(error, OSError):
        hint = "Check the address, and that the cluster runs; the same command may work in a while"
        return TryAgain(f"no Ray job server answers at {address}", where=OPTION, hint=hint)
    if status >= 500:
        hint = "Run the same command again in a while; the dashboard's log on the head node has more"
        return TryAgain(f"the Ray job server at {address} failed ({first_line(error)})", where=OPTION, hint=hint)
    return UserError(f"the Ray job server at {address} refused ({first_line(error)})", where=OPTION)


def _status(error: Exception) -> int | None:
    found = STATUS.search(str(error))
    return int(found[1] or found[2]) if found else None
