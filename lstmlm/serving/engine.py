"""The thread that computes: it takes jobs from a queue of bounded length, and gives back their results."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from lstmlm.errors import UserError
from lstmlm.serving.job import Done, Job, Way
from lstmlm.serving.lanes import Finished, Lane

MOST_LANES = 8
"""Ways to decode that are computed at the same time; a job of another one waits."""
REMEMBERED = 256
"""Last results by whose times the time until there is room is estimated."""
LONGEST_WAIT = 60
STOPPED_SECONDS = 20.0
"""A step may take that long at the end: a thread in the middle of one would crash the process as it leaves."""


class Full(Exception):
    """The queue has no room.

    Attributes:
        seconds: Estimate of when it will have some.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"the queue is full; try again in {seconds} s")


class Stopped(Exception):
    """The server takes no more jobs."""


class Engine:
    """Computes jobs in a thread of its own.

    Args:
        lane_of: Makes the lane of a way to decode.
        deliver: Is called in that thread with the jobs that are finished.
        died: Is called in that thread where it ends by an error.
        most: Jobs that are accepted and without a result, at most.
    """

    def __init__(
        self,
        lane_of: Callable[[Way], Lane],
        deliver: Callable[[Finished], None],
        died: Callable[[Exception], None],
        most: int,
    ) -> None:
        self._lane_of, self._deliver, self._died, self._most = lane_of, deliver, died, most
        self._arrived: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open = 0
        self._stopping = False
        self._lanes: dict[Way, Lane] = {}
        self._times: deque[float] = deque(maxlen=REMEMBERED)
        self._thread = threading.Thread(target=self._run, name="lstmlm-model", daemon=True)

    @property
    def open(self) -> int:
        """Jobs that are accepted and without a result."""
        return self._open

    @property
    def alive(self) -> bool:
        """Whether the thread computes."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Accepts jobs: all of them, or none.

        Raises:
            Full: There is no room for them.
            Stopped: The server ends.
        """
        with self._changed:
            if self._stopping or not self.alive:
                raise Stopped
            if self._open + len(jobs) > self._most:
                raise Full(self._seconds_until_room())
            self._open += len(jobs)
            self._arrived.extend(jobs)
            self._changed.notify()

    def stop(self) -> None:
        """Ends the thread after the step that it computes; what it has is given up."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self.alive:
            self._thread.join(STOPPED_SECONDS)

    def _seconds_until_room(self) -> int:
        if len(self._times) < 2:
            return 1
        passed = time.monotonic() - self._times[0]
        return max(1, min(LONGEST_WAIT, math.ceil(self._open * passed / len(self._times))))

    def _run(self) -> None:
        waiting: deque[Job] = deque()
        try:
            while self._take(waiting):
                self._place(waiting)
                for way, lane in list(self._lanes.items()):
                    self._finish(lane.step())
                    if not lane.busy:
                        del self._lanes[way]
        except Exception as error:
            self._died(error)

    def _take(self, waiting: deque[Job]) -> bool:
        """Moves what arrived to what waits for a lane; returns whether to continue."""
        with self._changed:
            while not (self._arrived or waiting or self._lanes or self._stopping):
                self._changed.wait()
            while self._arrived:
                waiting.append(self._arrived.popleft())
            return not self._stopping

    def _place(self, waiting: deque[Job]) -> None:
        """Puts jobs into their lanes; those for whose lane there is no room wait on, in their order."""
        for _ in range(len(waiting)):
            job = waiting.popleft()
            if job.future.cancelled():  # nobody waits for it any more
                self._finish([(job, Done(None, "the client left"))])
            elif job.way in self._lanes or len(self._lanes) < MOST_LANES:
                try:
                    if job.way not in self._lanes:
                        self._lanes[job.way] = self._lane_of(job.way)
                    self._lanes[job.way].add(job)
                except UserError as error:  # the model cannot decode in this way
                    self._finish([(job, Done(None, str(error)))])
            else:
                waiting.append(job)

    def _finish(self, finished: Finished) -> None:
        if not finished:
            return
        with self._changed:
            self._open -= len(finished)
            self._times.extend([time.monotonic()] * len(finished))
        self._deliver(finished)
