"""Ctrl-C, SIGTERM and a closed terminal: the first unwinds, so that half-written folders are removed; a second ends.

Libraries wrap a `KeyboardInterrupt` in errors of their own, swallow it, or replace the handler (Ray does all three).
So what was received is noted here, by a thread that the interpreter's own C handler wakes, and the command line goes by
that note and not by the exception that reaches it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HANDLED_SECONDS = 10.0
"""How long the main thread may stay in C code that lets no handler run, such as the training of a vocabulary."""
UNWOUND_SECONDS = 60.0
"""How long the way out may take, which stops workers and removes half-written folders."""
SHOW_CURSOR = b"\r\x1b[?25h\x1b[K"
"""Undoes what a progress line did to a terminal."""


class Interrupted(KeyboardInterrupt):
    """A signal asks this process to end."""


class _Watch:
    """What was received so far, and the process's way out where nothing else works."""

    def __init__(self, message: str, forwarded: Callable[[], int]) -> None:
        self.number: int | None = None
        self.message = message
        self._forwarded = forwarded
        self._handled = threading.Event()
        self._said = threading.Lock()
        self._terminal = os.dup(2)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._follow, args=(reader,), name="lstmlm-signals", daemon=True).start()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Unwinds the main thread."""
        if self._handled.is_set():
            return  # a second one ends the process, unless it is the first once more
        self.number = self.number or number
        self._handled.set()
        raise Interrupted

    def say(self) -> None:
        """Prints the message, once."""
        if self.number is None or not self._said.acquire(blocking=False):
            return
        what = "interrupted" if self.number == signal.SIGINT else f"stopped by {signal.Signals(self.number).name}"
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(self._terminal, f"lstmlm: {what}; {self.message}\n".encode("utf-8", "backslashreplace"))

    def _follow(self, reader: int) -> None:
        self.number = self.number or self._next(reader)
        deadline = threading.Thread(target=self._limit, name="lstmlm-stop-limit", daemon=True)
        deadline.start()
        received = 1
        while max(received - self._forwarded(), self._forwarded()) < 2:
            self._next(reader)
            received += 1
        self._leave()

    def _next(self, reader: int) -> int:
        while True:
            number = os.read(reader, 1)[0]
            if number in STOPPING:
                return number

    def _limit(self) -> None:
        if self._handled.wait(HANDLED_SECONDS):
            time.sleep(UNWOUND_SECONDS)
        self._leave()

    def _leave(self) -> None:
        """Ends the process at once. Its workers end with it; a half-written folder is swept by the next start."""
        if os.isatty(self._terminal):
            os.write(self._terminal, SHOW_CURSOR)
        self.say()
        assert self.number is not None
        os._exit(128 + self.number)


_watch: _Watch | None = None


def install(message: str, *, forwarded: Callable[[], int] = int) -> None:
    """Takes over the signals that ask a process to end, but those that it was started to ignore, such as by `nohup`.

    Args:
        message: What is printed after "interrupted; ".
        forwarded: Returns how many of the signals so far a parent passed on: what was sent to the whole process group
            comes twice, and counts once.
    """
    global _watch
    _watch = _Watch(message, forwarded)
    os.register_at_fork(after_in_child=_forget)
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _watch.handle)


def explain(message: str) -> None:
    """Changes what is printed after "interrupted; ": of work that continues elsewhere, for example."""
    if _watch is not None:
        _watch.message = message


def _forget() -> None:
    """Leaves a forked child to itself: its signals are not its parent's."""
    global _watch
    if _watch is not None:
        _watch = None
        signal.set_wakeup_fd(-1)  # it leads to the parent
        for number in STOPPING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)


def received() -> int | None:
    """Returns the number of the first signal that asked this process to end; None: there was none."""
    return _watch.number if _watch is not None else None


def check(error: BaseException | None = None) -> None:
    """Raises where this process was asked to end; for code that catches exceptions that may wrap or hide it.

    Args:
        error: What was caught.

    Raises:
        Interrupted: A signal asked this process to end.
    """
    if received() is not None:
        raise Interrupted from error


def finish(code: int) -> int:
    """Returns the exit code of the process, prints the message where it was interrupted, and lets go of the signals.

    Args:
        code: The exit code of a process that was not interrupted.
    """
    number = received()
    for taken in STOPPING:
        if signal.getsignal(taken) is not signal.SIG_IGN:
            signal.signal(taken, signal.SIG_DFL)
    if _watch is None or number is None:
        return code
    _watch.say()
    return 128 + number


@contextlib.contextmanager
def keeping_handlers() -> Iterator[None]:
    """Puts the handlers of this process back that a library replaces inside the block, and leaves behind."""
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # set even where it seems unchanged: Ray's C++ resets it behind Python's back
                signal.signal(number, handler)
