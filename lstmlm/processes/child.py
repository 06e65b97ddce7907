"""A child process for parsers of foreign files, with limits on memory and time; a crash ends only the child.

A child is started once and answers many requests over a socket. Messages are bytes, never pickles.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, Pipe

MEMORY_BYTES = 2 << 30
"""Address space that a child may take for its work."""
CPU_SECONDS = 8
"""Processor time between two messages."""
SILENCE_SECONDS = 600
"""Time between two messages; it bounds what waits for a disk or a network and uses no processor."""
_IDLE = 2


class ChildDied(Exception):
    """The child ended in the middle of its work; the message says how.

    Attributes:
        again: Whether another try may end differently.
    """

    def __init__(self, how: str, *, again: bool = False) -> None:
        self.again = again
        super().__init__(how)


class Child:
    """A running child, as its parent sees it.

    Attributes:
        busy: Whether it is in the middle of a request; its user says so.
    """

    def __init__(self, module: str) -> None:
        """Starts `python -m MODULE DESCRIPTOR`; its `main` calls `serving`."""
        self.busy = False
        ours, theirs = Pipe()
        self._connection = ours
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "RUST_BACKTRACE": "0", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Returns whether its process runs."""
        return self._process.poll() is None

    def send(self, message: bytes) -> None:
        """Sends a message.

        Raises:
            ChildDied: Nobody takes it.
        """
        try:
            self._connection.send_bytes(message)
        except OSError as error:
            raise self._end() from error

    def receive(self) -> bytes:
        """Waits for a message.

        Raises:
            ChildDied: None came: the child crashed, was ended at a limit, or was silent for too long.
        """
        try:
            if not self._connection.poll(SILENCE_SECONDS):
                self.close()
                raise ChildDied(f"it gave nothing for {SILENCE_SECONDS} s")
            return self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._end() from error

    def close(self) -> None:
        """Ends the child, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _end(self) -> ChildDied:
        """Waits for the end of a child that hung up; returns how it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CPU_SECONDS)
        code = self._process.poll()
        self.close()
        if code == -signal.SIGPROF:
            return ChildDied(f"it took more than {CPU_SECONDS} s")
        if code is not None and code < 0:
            return ChildDied(f"it crashed the reader ({signal.Signals(-code).name})", again=True)
        return ChildDied(f"the reader ended with code {code}", again=True)


class Children:
    """Children of one module that wait for work. Each is used by one thread at a time."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._owner = os.getpid()
        atexit.register(self._close)

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        """Lends a child: it is kept for the next request, unless the body is left in the middle of this one."""
        child = self._take()
        try:
            yield child
        finally:
            with self._lock:
                kept = not child.busy and len(self._idle) < _IDLE
                if kept:
                    self._idle.append(child)
            if not kept:
                child.close()

    def _take(self) -> Child:
        with self._lock:
            if self._owner != os.getpid():  # forked: the children are those of another process
                self._idle, self._owner = [], os.getpid()
            while self._idle:
                child = self._idle.pop()
                if child.is_alive():
                    return child
                child.close()  # ended from outside while it waited, for example where memory was short
        return Child(self._module)

    def _close(self) -> None:
        if self._owner == os.getpid():
            for child in self._idle:
                child.close()


class Parent:
    """The parent, as its child sees it. Every message gives the child another `CPU_SECONDS`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: bytes | memoryview) -> None:
        """Sends a message; the process ends where the parent is gone."""
        _rest()
        try:
            self._connection.send_bytes(message)
        except OSError:
            os._exit(0)

    def receive(self) -> bytes:
        """Waits for a message; the process ends where the parent is gone."""
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        _rest()
        return message


def serving(descriptor: str) -> Parent:
    """Sets the limits of this process and returns its parent; called in the child, when all is imported."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then hangs up
    # A process at its limit crashes: no core files, which may be large.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with open("/proc/self/statm", encoding="ascii") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = used + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    _rest()
    return Parent(Connection(int(descriptor)))


def _rest() -> None:
    # The kernel ends the process even where C code never comes back.
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
