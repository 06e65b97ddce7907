"""Runs a server until a signal ends it; what was accepted before is answered."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from lstmlm.api.model import Model
from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.processes import interrupts
from lstmlm.publish.folder import read_manifest
from lstmlm.serving.access import Access
from lstmlm.serving.app import Server
from lstmlm.serving.engine import Engine
from lstmlm.serving.inputs import InputReader
from lstmlm.serving.job import Way
from lstmlm.serving.lanes import BatchLane, Finished, Lane, SlotLane

CLOSING_SECONDS = 1.0
"""How long idle connections are waited for at the end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, and how much it takes.

    Attributes:
        host: Address.
        port: Port; 0: any that is free.
        queue: Inputs that are accepted and not answered, at most.
        largest: Bytes of a request, at most.
    """

    host: str
    port: int
    queue: int
    largest: int


def run(model: Model, place: Place, access: Access, say: Callable[[str], None]) -> int | None:
    """Serves a model until SIGTERM or Ctrl-C; a second one ends it at once.

    Args:
        model: The model.
        place: Where.
        access: What requests have to show.
        say: Gets a line when the server listens, and when it stops.

    Returns:
        The signal that ended it before everything was answered; None: all is answered.

    Raises:
        UserError: The address cannot be listened on.
        Exception: What the model failed by.
    """
    with _own_signals():
        return asyncio.run(_run(model, place, access, say))


async def _run(model: Model, place: Place, access: Access, say: Callable[[str], None]) -> int | None:
    loop, signals, failures = asyncio.get_running_loop(), asyncio.Queue[int](), list[Exception]()

    def died(error: Exception) -> None:
        failures.append(error)
        loop.call_soon_threadsafe(signals.put_nowait, 0)

    server = _server(model, place, access, died)
    # A handler is cancelled when its client leaves: nobody waits for these inputs.
    runner = web.AppRunner(server.app, access_log=None, handler_cancellation=True, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, place.host, place.port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        what = f"cannot listen: {error.strerror or error}"
        raise UserError(what, where=f"{place.host}:{place.port}", hint="Choose another --port or --host") from error
    server.engine.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.put_nowait, int(number))
    host, port = runner.addresses[0][:2]
    say(f"serving {model.folder} on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C stops it)")
    received = await signals.get()
    await site.stop()
    ended = None
    if received and server.engine.open:
        say(f"stopping: {server.engine.open:,} inputs are answered before; a second signal stops at once")
    if received:
        ended = await _first(server.drain(), signals)
    await runner.cleanup()
    await asyncio.to_thread(server.engine.stop)
    if failures:
        raise failures[0]
    return ended


async def _first(drained: Any, signals: asyncio.Queue[int]) -> int | None:
    """Waits until all is answered, or for a further signal, which is returned."""
    waiting = [asyncio.ensure_future(drained), asyncio.ensure_future(signals.get())]
    done, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    return None if waiting[0] in done else int(waiting[1].result())


def _server(model: Model, place: Place, access: Access, died: Callable[[Exception], None]) -> Server:
    meter, slots, engine_model = Meter(), model.recipe.decoding.slots, model.engine_model

    def lane(way: Way) -> Lane:
        if engine_model is None:
            return BatchLane(model.predictor, slots, meter)
        decoded = engine_model if way.decoding is None else engine_model.decoding_as(way.decoding)
        return SlotLane(decoded, slots, meter, by_record=way.by_record)

    def engine(deliver: Callable[[Finished], None]) -> Engine:
        return Engine(lane, deliver, died, place.queue)

    reader = InputReader(model, flexible=engine_model is not None)
    return Server(facts_of(model, reader), reader, engine, meter, access, place.largest)


def warm_up(model: Model) -> None:
    """Makes what the engine makes at its first use, so that the first client does not wait for it."""
    engine_model = model.engine_model
    if engine_model is not None:
        with contextlib.suppress(ValueError):  # no output is as the recipe asks for
            engine_model.generate(["."], [0])


def facts_of(model: Model, reader: InputReader) -> Mapping[str, Any]:
    """Returns what `/model` says."""
    recipe = model.recipe
    return {
        "name": recipe.name,
        "task": recipe.task,
        "kind": reader.kind,
        "input": reader.form,
        "fingerprint": _fingerprint(model.folder),
        "ensemble": [_fingerprint(folder) for folder in recipe.inference.models],
        "decoding": recipe.decoding.model_dump(mode="json") if reader.flexible else None,
    }


def _fingerprint(export: Path) -> str:
    return read_manifest(export, "export").fingerprint


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Lets the event loop handle signals in the block, and gives them back after."""
    before = signal.set_wakeup_fd(-1)
    with interrupts.keeping_handlers():
        try:
            yield
        finally:
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)
