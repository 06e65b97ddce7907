"""Reports the progress of a job by the finished chunks in its work folder, on any runner."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from lstmlm.decoding.meter import Meter
from lstmlm.inference.chunks import Chunk
from lstmlm.inference.work import Work
from lstmlm.progress import Progress
from lstmlm.storage import StorePath

LOOK_SECONDS, STORE_SECONDS = 0.5, 5.0
"""Between two looks at the finished chunks; in a store each look is a request per thousand of them."""


@contextlib.contextmanager
def watched(work: Work, progress: Progress) -> Iterator[None]:
    """Reports, while the body runs, how many records are done."""
    ended = threading.Event()
    seconds = STORE_SECONDS if isinstance(work.place.folder, StorePath) else LOOK_SECONDS
    records = {chunk.number: chunk.records for chunk in work.chunks}

    def look() -> None:
        while not ended.wait(seconds):
            done = sum(records[number] for number in work.done())
            if done:
                progress.update(done, work.total, unit="records")

    thread = threading.Thread(target=look, name="job-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclasses.dataclass(frozen=True, slots=True)
class Throughput:
    """How fast a job was, without the chunks that an earlier one had done.

    Attributes:
        seconds: From the start of the pipeline to its end, start of workers and loading of the model included.
        busy_seconds: What decoding took, added up over all workers.
        records: Records decoded or found dead.
        tokens: Tokens decoded.
        meter: Of the engine.
    """

    seconds: float
    busy_seconds: float
    records: int
    tokens: int
    meter: Meter

    def metrics(self) -> dict[str, Any]:
        """Returns what is shown and written: rates per second, the share of busy rows, latencies in seconds."""
        return {
            "seconds": round(self.seconds, 3),
            "records": self.records,
            "tokens": self.tokens,
            "records_per_second": round(self.records / self.seconds, 2),
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "worker_seconds": round(self.busy_seconds, 3),
            "batch_fill": round(self.meter.fill, 4),
            **{f"latency_p{int(100 * share)}": round(self.meter.percentile(share), 4) for share in (0.5, 0.95, 0.99)},
        }


def throughput(work: Work, chunks: Sequence[Chunk], seconds: float) -> Throughput:
    """Returns how fast chunks were done that took so many seconds together."""
    meter, busy, tokens = Meter(), 0.0, 0
    for facts in map(work.facts, chunks):
        meter.add(facts["meter"])
        busy, tokens = busy + facts["seconds"], tokens + facts["tokens"]
    return Throughput(seconds, busy, sum(chunk.records for chunk in chunks), tokens, meter)
