"""Terminal output: a progress line for each stage, then a table of the results."""

from __future__ import annotations

import contextvars
import dataclasses
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lstmlm.cli.logs import Terminal
from lstmlm.monitoring.metrics import Outcome, StageMetrics

Form = Literal["tables", "json", "none"]
FORM: contextvars.ContextVar[Form] = contextvars.ContextVar("form", default="tables")
"""How results are shown: `lstmlm --json` and `lstmlm --quiet` set it; with both others there is no progress."""

METRICS: contextvars.ContextVar[StageMetrics | None] = contextvars.ContextVar("metrics", default=None)
"""What Prometheus reads: `lstmlm --metrics` sets it."""

PLAIN_WIDTH = 160
PLAIN_SECONDS = 10.0


class RateEstimator:
    """Works out rate and time left of a stage from what it reports."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None  # time, done
        self._last: tuple[float, str] = (0.0, "")  # done, unit

    def status(self, done: float, total: float | None, unit: str, note: str) -> str:
        """Returns for example `120/400 steps · 2.1 steps/s · 2:13 left · loss 4.21`."""
        now = self._clock()
        begins = self._last[0] <= 0 < done  # what came before was preparation, such as starting the workers
        if self._first is None or begins or done < self._last[0] or unit != self._last[1]:
            self._first = (now, done)  # another phase of the stage, or a restart
        self._last = (done, unit)
        of = f"/{total:,.0f}" if total is not None else ""
        parts = [f"{done:,.0f}{of} {unit}".rstrip()]
        seconds, gained = now - self._first[0], done - self._first[1]
        if seconds > 0 and gained > 0:
            rate = gained / seconds
            parts.append(f"{rate:,.{0 if rate >= 100 else 1}f} {unit or 'units'}/s")
            if total is not None and total > done:
                parts.append(f"{clock_time((total - done) / rate)} left")
        if note:
            parts.append(note)
        return " · ".join(parts)


def clock_time(seconds: float) -> str:
    """Returns for example `2:13` or `1:02:13`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@dataclasses.dataclass(frozen=True, slots=True)
class StageRow:
    """One line of the summary."""

    stage: str
    cached: bool
    seconds: float
    artifact: Path | None


class StageLine:
    """The progress line of one stage; a `lstmlm.progress.Progress`."""

    def __init__(self, name: str, bars: Progress | None, err: TextIO | None) -> None:
        """Takes its name, the bars of a terminal, and the stream of plain lines; None: nothing is shown."""
        self.name, self.open = name, True
        self._metrics = METRICS.get()
        self._rate = RateEstimator()
        self._bars, self._err = bars, err
        self._started = time.monotonic()
        self._printed = float("-inf")
        self._task = bars.add_task(name, total=None, status="") if bars else None
        if self._metrics is not None:
            self._metrics.started(name)

    def update(
        self,
        done: float,
        total: float | None = None,
        *,
        unit: str = "",
        note: str = "",
        numbers: Mapping[str, float] | None = None,
    ) -> None:
        """See `Progress.update`."""
        if self._metrics is not None:
            self._metrics.progress(self.name, done, total, unit, numbers)
        status = self._rate.status(done, total, unit, note)
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total, status=status)
        elif time.monotonic() - self._printed >= PLAIN_SECONDS:
            self._plain(status)

    def finish(self, artifact: Path | None, *, cached: bool) -> StageRow:
        """Closes the line and returns its row of the summary."""
        seconds = time.monotonic() - self._started
        self._end("cached" if cached else "done")
        status = "cached" if cached else f"done in {clock_time(seconds)}"
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, total=1, completed=1, status=status)
            self._bars.stop_task(self._task)
        else:
            self._plain(status)
        return StageRow(self.name, cached, seconds, artifact)

    def fail(self) -> None:
        """Notes that the stage ended by an exception; one that has finished stays finished."""
        if self.open:
            self._end("failed")

    def _end(self, outcome: Outcome) -> None:
        self.open = False
        if self._metrics is not None:
            self._metrics.finished(self.name, outcome)

    def _plain(self, status: str) -> None:
        if self._err is not None:
            print(f"{self.name}: {status}", file=self._err, flush=True)
        self._printed = time.monotonic()


class Screen:
    """What the user sees of a run: progress on standard error, results on standard output."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal, self._form = terminal, FORM.get()
        self._found: dict[str, Any] = {}
        self._out = Console(file=terminal.out, highlight=False, width=None if terminal.out.isatty() else PLAIN_WIDTH)
        self._bars = _bars(terminal.err) if terminal.err.isatty() and self._form == "tables" else None
        self._warnings = _Warnings(self)
        self._lines: list[StageLine] = []

    def __enter__(self) -> Self:
        logging.getLogger("lstmlm").addHandler(self._warnings)
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger("lstmlm").removeHandler(self._warnings)
        if error is not None:
            for line in self._lines:
                line.fail()
        if self._bars:
            self._bars.stop()
        if self._form == "json" and self._found:
            print(json.dumps(self._found, indent=1, ensure_ascii=False, default=str), file=self._terminal.out)
        self._terminal.out.flush()

    def stage(self, name: str) -> StageLine:
        """Opens the line of a stage."""
        line = StageLine(name, self._bars, self._terminal.err if self._form == "tables" else None)
        self._lines.append(line)
        return line

    def summary(self, rows: Iterable[StageRow]) -> None:
        """Shows the stages, whether each ran, how long, and the path of its artifact."""
        rows = list(rows)
        self._note("stages", [dataclasses.asdict(row) for row in rows])
        table = _table("stage", "", "seconds", "artifact")
        table.columns[2].justify = "right"
        for row in rows:
            state = "cached" if row.cached else "ran"
            table.add_row(row.stage, state, f"{row.seconds:.1f}", Text(str(row.artifact or "")))
        self._show(table)

    def pairs(self, title: str, values: Mapping[str, Any]) -> None:
        """Shows names and values, such as metrics or counts."""
        self._note(title, dict(values))
        table = _table(title, "")
        for name, value in values.items():
            table.add_row(name, Text(f"{value:,.4g}" if isinstance(value, float) else str(value)))
        self._show(table)

    def rows(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Shows a table of any columns."""
        rows = list(rows)
        self._note("rows", [*self._found.get("rows", []), *(dict(zip(columns, row, strict=True)) for row in rows)])
        table = _table(*columns)
        for row in rows:
            table.add_row(*(Text(f"{value:,.4g}" if isinstance(value, float) else str(value)) for value in row))
        self._show(table)

    def line(self, text: str) -> None:
        """Shows a line of text as it is."""
        self._note("lines", [*self._found.get("lines", []), text])
        self._show(Text(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Shows a line on standard error, above the progress line."""
        line = f"lstmlm: {text}"
        if self._bars:
            self._bars.console.print(Text(line), soft_wrap=True)
        else:
            print(line, file=self._terminal.err, flush=True)

    def _note(self, name: str, value: Any) -> None:
        """Keeps what is shown, for JSON at the end."""
        if self._form == "json":
            self._found[name] = value

    def _show(self, what: RenderableType, *, soft_wrap: bool = False) -> None:
        if self._form != "tables":
            return
        if self._bars:
            self._bars.stop()  # results come after progress
        self._out.print(what, soft_wrap=soft_wrap)


class _Warnings(logging.Handler):
    """Shows this project's warnings to the user, and keeps them in the log."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, entry: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        text = entry.getMessage()
        print(text, file=sys.stderr)
        self._screen.warn(text)


def _bars(err: TextIO) -> Progress:
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:10}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[status]}", markup=False),
    )
    return Progress(*columns, console=Console(file=err), redirect_stdout=False, redirect_stderr=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
