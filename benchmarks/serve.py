"""Serving compared with the batch engine: `lstmlm serve` under 64 clients against the same texts in one call.

`make bench-serve`; QUICK=1: within five minutes. The network is that of translate_en_fr at full size, with weights that
never end a text: every text is decoded to the length of its reference, on both sides. Both compute in one thread. The
sides take turns, and the medians of tokens per second of wall-clock time are compared. Each client sends one text after
the other over a connection of its own, all of them from one other process on the same machine.

Last, the server is killed in the middle of its work: a client has a whole, right answer or an error.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import table
from serve_model import Work, made

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = 64
BAR = 0.8
INT8 = {"precision": "int8"}
TOGETHER = 4
KILLED_AFTER = 200
"""Answers after which the server is killed."""


@dataclasses.dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: From the first request to the last answer.
        latencies: Seconds of each request.
        outputs: Number of a text -> its output.
        errors: Requests without an answer.
    """

    seconds: float
    latencies: list[float]
    outputs: dict[int, str]
    errors: int


class Server:
    """`lstmlm serve` in a process of its own."""

    def __init__(self, export: Path) -> None:
        words = ["-m", "lstmlm", "serve", str(export), "--port", "0", "--threads", "1"]
        words += [word for name, value in INT8.items() for word in ("--set", f"decoding.{name}={value}")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        if found is None:
            raise SystemExit("the server did not start")
        self.url = found[0]

    def load(self, work: Work, *, together: int = 1, kill: bool = False) -> Load:
        """Lets the clients send every text once, some together, from another process; returns what they saw."""
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(clients, (self.url, work, together, self.process.pid if kill else None))

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def clients(url: str, work: Work, together: int, victim: int | None) -> Load:
    """Sends every text once, by 64 clients; kills a process on the way where one is given."""
    return asyncio.run(_clients(url, work, together, victim))


async def _clients(url: str, work: Work, together: int, victim: int | None) -> Load:
    # Texts of one length are sent together: what differs in `max_tokens` are several requests.
    order = sorted(range(len(work.texts)), key=lambda n: work.limits[n]) if together > 1 else range(len(work.texts))
    alike = [[*group] for _, group in itertools.groupby(order, key=lambda n: work.limits[n] if together > 1 else n)]
    parts = [group[n : n + together] for group in alike for n in range(0, len(group), together)]
    random.Random(1).shuffle(parts)
    waiting: Iterator[list[int]] = iter(parts)
    found = Load(0.0, [], {}, 0)

    async def client() -> None:
        async with aiohttp.ClientSession() as session:
            for part in waiting:
                texts = [work.texts[number] for number in part]
                body = {"inputs": texts, "decoding": {"max_tokens": work.limits[part[0]]}}
                started = time.perf_counter()
                try:
                    async with session.post(f"{url}/predict", json=body) as answer:
                        content: Any = await answer.json()
                except (aiohttp.ClientError, OSError, json.JSONDecodeError):
                    found.errors += 1
                    return
                found.latencies.append(time.perf_counter() - started)
                found.outputs |= {n: one["output"] for n, one in zip(part, content["outputs"], strict=True)}
                if victim is not None and len(found.outputs) == KILLED_AFTER:
                    os.kill(victim, signal.SIGKILL)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    found.seconds = time.perf_counter() - started
    return found


class Batch:
    """The engine in this process."""

    def __init__(self, export: Path) -> None:
        import lstmlm

        self._model = lstmlm.load(export, decoding=INT8, threads=1).predictor.model  # type: ignore[attr-defined]
        self._model.generate(["."], [0])

    def decode(self, work: Work) -> tuple[float, list[str]]:
        """Decodes all texts; returns the seconds and the outputs."""
        started = time.perf_counter()
        model = self._model
        asked = [model.asked(text, 0, limit) for text, limit in zip(work.texts, work.limits, strict=True)]
        found = model._engine.decode([one.requests[0] for one in asked])
        outputs = [output.text for output in model.outputs(asked, found)]
        return time.perf_counter() - started, outputs


def main() -> None:
    quick = bool(os.environ.get("QUICK"))
    corpora = Path(os.environ.get("LSTMLM_CORPORA") or ROOT.parent / "shared" / "corpora").resolve()
    export, work = made(corpora, 1500 if quick else 6000)
    batch, server = Batch(export), Server(export)
    seconds, loads, grouped = [], [], []
    for _ in range(3):
        taken, right = batch.decode(work)
        seconds.append(taken)
        loads.append(server.load(work))
        grouped.append(server.load(work, together=TOGETHER))
        for load in (loads[-1], grouped[-1]):
            assert load.outputs == dict(enumerate(right)), "an output over HTTP differs from the engine's"
    killed = server.load(work, kill=True)
    wrong = sum(text != right[number] for number, text in killed.outputs.items())
    server.process.wait()
    tokens = sum(work.limits)
    ours, peer = tokens / table.median([one.seconds for one in loads]), tokens / table.median(seconds)
    together = tokens / table.median([one.seconds for one in grouped])
    latencies = sorted(one for load in loads for one in load.latencies)
    table.publish(
        "serve",
        [
            table.row(
                f"tokens per second under {CLIENTS} clients compared with the batch engine",
                ours,
                peer=peer,
                ratio=ours / peer,
                bar=BAR,
                digits=2,
            ),
            table.row(f"the same, {TOGETHER} texts in a request", together, peer=peer, ratio=together / peer, digits=2),
            table.row("milliseconds of a request, median", 1000 * latencies[len(latencies) // 2], digits=1),
            table.row("milliseconds of a request, p99", 1000 * latencies[len(latencies) * 99 // 100], digits=1),
            table.row("requests without an answer", sum(one.errors for one in loads), bar=0, at_most=True),
            table.row(f"killed after {KILLED_AFTER} answers: wrong or half answers", wrong, bar=0, at_most=True),
            table.row("the same: clients with an error", killed.errors, bar=CLIENTS),
        ],
    )


if __name__ == "__main__":
    main()
