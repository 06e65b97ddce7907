"""The HTTP interface of a server: what it answers to each path."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from lstmlm.decoding.meter import Meter
from lstmlm.serving.access import Access
from lstmlm.serving.engine import Engine, Full, Stopped
from lstmlm.serving.inputs import BadRequest, InputReader
from lstmlm.serving.job import Done, Job
from lstmlm.serving.lanes import Finished
from lstmlm.serving.metrics import Metrics
from lstmlm.serving.page import read_page

READ_SECONDS = 30
"""A request has to come whole within that time."""
STOPPING = "the server is stopping"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers requests about one model.

    Args:
        facts: What `/model` says of the model.
        reader: Reads requests.
        engine_of: Makes the engine, given what delivers its results.
        meter: What the engine counts.
        access: What a request has to show.
        largest: Bytes of a request, at most.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        reader: InputReader,
        engine_of: Callable[[Callable[[Finished], None]], Engine],
        meter: Meter,
        access: Access,
        largest: int,
    ) -> None:
        self._facts, self._reader, self._access, self._page = facts, reader, access, read_page()
        self._loop = asyncio.get_running_loop()
        self.engine = engine_of(self._deliver)
        self._metrics = Metrics(meter, lambda: self.engine.open)
        self._stopping = False
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.app = web.Application(client_max_size=largest, middlewares=[self._counted, self._checked])
        self.app.add_routes(
            [
                web.get("/", self._show),
                web.get("/healthz", self._health),
                web.get("/metrics", self._measure),
                web.get("/model", self._describe),
                web.post("/predict", self._predict),
            ]
        )

    async def drain(self) -> None:
        """Accepts no more requests, and returns when those that were accepted are answered."""
        self._stopping = True
        await self._idle.wait()

    def _deliver(self, finished: Finished) -> None:
        """Gives results to the event loop; called in the thread of the engine."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._settle, finished)

    def _settle(self, finished: Finished) -> None:
        for job, done in finished:
            self._metrics.finished(done)
            job.settle(done)

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts requests, and writes every refusal as JSON."""
        started = time.perf_counter()
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            headers = {name: value for name, value in refusal.headers.items() if name != "Content-Type"}
            response = _json({"error": refusal.text or refusal.reason}, refusal.status, headers)
        self._metrics.answered(response.status, time.perf_counter() - started)
        return response

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if refusal := self._access.refusal(request):
            raise refusal
        return await handler(request)

    async def _show(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self._page.policy, "X-Content-Type-Options": "nosniff"}
        return web.Response(text=self._page.content, content_type="text/html", headers=headers)

    async def _health(self, request: web.Request) -> web.Response:
        if self._stopping or not self.engine.alive:
            return _json({"status": "stopping" if self._stopping else "the model has failed"}, 503)
        return _json({"status": "ok", "token": bool(self._access.token)})

    async def _measure(self, request: web.Request) -> web.Response:
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=self._metrics.text(), headers=headers)

    async def _describe(self, request: web.Request) -> web.Response:
        return _json(self._facts)

    async def _predict(self, request: web.Request) -> web.Response:
        if self._stopping:
            raise web.HTTPServiceUnavailable(text=STOPPING, headers={"Retry-After": "1", "Connection": "close"})
        self._answering += 1
        self._idle.clear()
        try:
            return await self._answer(await _body(request))
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def _answer(self, body: bytes) -> web.Response:
        """Answers a request when all of its inputs are computed."""
        try:
            asked = self._reader.body(body)
        except BadRequest as problem:
            raise web.HTTPBadRequest(text=str(problem)) from problem
        jobs = [
            None
            if isinstance(one, str)
            else Job(one, seed, asked.decoding, asked.limit, self._loop.create_future(), own)
            for one, seed, own in zip(asked.inputs, asked.seeds, asked.own, strict=True)
        ]
        accepted = [job for job in jobs if job is not None]
        try:
            self.engine.submit(accepted)
        except Full as full:
            raise web.HTTPServiceUnavailable(text=str(full), headers={"Retry-After": str(full.seconds)}) from full
        except Stopped as stopped:
            raise web.HTTPServiceUnavailable(text=STOPPING, headers={"Retry-After": "1"}) from stopped
        try:
            found = iter(await asyncio.gather(*(job.future for job in accepted)))
        except asyncio.CancelledError:  # the client left
            for job in accepted:
                job.future.cancel()
            raise
        outputs = [_output(next(found)) if job else {"error": one} for one, job in zip(asked.inputs, jobs, strict=True)]
        return _json({"outputs": outputs})


async def _body(request: web.Request) -> bytes:
    """Returns the body of a request.

    Raises:
        HTTPException: It is of another kind, too large, or does not come.
    """
    # A page of another site cannot send this type without asking first, which is answered with a refusal.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send Content-Type: application/json")
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType(text="send the body uncompressed")
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text=f"the request was not whole after {READ_SECONDS} s") from error


def _output(done: Done) -> Mapping[str, Any]:
    return {"error": done.error} if done.fields is None else done.fields


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
