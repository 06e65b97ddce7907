"""A program at a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
from pathlib import Path

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]


class Terminal:
    """A program at a terminal of its own, as the leader of the session and the foreground process group."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            signal.signal(
                signal.SIGHUP, signal.SIG_DFL
            )  # tests started by nohup ignore it, and so would what they start
            os.environ["PYTHONPATH"] = str(ROOT)
            os.execv(command[0], command)
        self.seen = ""

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def read_until(self, text: str) -> None:
        wait_until(lambda: self._read() or text in self.seen, f"the program to print {text!r}", 60)

    def _read(self) -> bool:
        """Takes what was printed; returns whether the program closed the terminal."""
        while select.select([self._terminal], [], [], 0.05)[0]:
            try:
                printed = os.read(self._terminal, 65536)
            except OSError:  # how Linux reports the end of a terminal
                return True
            if not printed:
                return True
            self.seen += printed.decode()
        return False

    def hang_up(self) -> None:
        os.close(self._terminal)

    def wait(self) -> int:
        wait_until(self._read, "the program to end", 60)
        return self.exit_code()

    def exit_code(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def said(self) -> list[str]:
        lines = self.seen.replace("\r", "\n").split("\n")
        return [line[line.index("lstmlm: ") :] for line in lines if "lstmlm: " in line]
