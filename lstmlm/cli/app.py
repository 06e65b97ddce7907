"""Puts the commands together, and turns every failure into one line and an exit code."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from lstmlm import __version__
from lstmlm.cli import (
    compare,
    history,
    hub,
    init,
    interactive,
    jobs,
    keras,
    pipeline,
    planning,
    recipes,
    serve,
    stages,
    sweep,
    synthetic,
    targets,
)
from lstmlm.cli.console import FORM, METRICS
from lstmlm.cli.failures.faults import exit_code, user_fault
from lstmlm.cli.logs import InternalError, captured
from lstmlm.errors import ExitCode, UserError
from lstmlm.processes import interrupts


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lstmlm {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="lstmlm",
    help="LSTM language models: from raw text to batch output.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def general(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors and warnings only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print results as one JSON object, and no progress.")] = False,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            envvar="LSTMLM_METRICS",
            help="Serve metrics for Prometheus while the command works: PORT on this machine only, or HOST:PORT.",
        ),
    ] = None,
) -> None:
    """LSTM language models: from raw text to batch output."""
    if quiet and as_json:
        raise UserError("--quiet and --json exclude each other", hint="Leave one of them out")
    FORM.set("none" if quiet else "json" if as_json else "tables")
    if metrics is not None:
        from lstmlm.monitoring.endpoint import start

        served, port = start(metrics)
        METRICS.set(served)
        if metrics.rpartition(":")[2] == "0":
            _say(f"metrics on port {port}")


init.register(app)
pipeline.register(app)
planning.register(app)
jobs.register(app)
targets.register(app)
synthetic.register(app)
stages.register(app)
compare.register(app)
serve.register(app)
interactive.register(app)
recipes.register(app)
history.register(app)
hub.register(app)
keras.register(app)
sweep.register(app)


def run(arguments: Sequence[str]) -> int:
    """Runs a command and returns its `ExitCode`; that of an interrupted one is `lstmlm.processes.interrupts.finish`'s.

    Args:
        arguments: The words after `lstmlm`.
    """
    try:
        code = app(args=list(arguments), prog_name="lstmlm", standalone_mode=False)
    except TyperException as error:  # the arguments are not as the command wants them
        form = getattr(error, "format_message", error.__str__)
        message = str(form()).strip().rstrip(".")
        _say(f"{message}. See `lstmlm --help`" if message else "")  # empty: a bare `lstmlm recipe` showed its help
        return ExitCode.USER
    except typer.Abort:
        code = ExitCode.INTERRUPTED
    except Exception as error:
        return ExitCode.INTERRUPTED if interrupts.received() else _explain(error)
    if code == ExitCode.INTERRUPTED and not interrupts.received():  # raised, and not by a signal
        _say("interrupted; finished work is kept, and the same command resumes")
    return code if isinstance(code, int) else ExitCode.OK


def _explain(error: Exception) -> int:
    """Reports a failure on standard error, one line per fault."""
    fault = user_fault(error)
    if fault is not None:
        _say(str(fault))
        return exit_code(fault)
    if not isinstance(error, InternalError):
        error = _logged(error)
    _say(f"internal error ({error}); see {error.log}")
    return ExitCode.FAILED


def _logged(error: Exception) -> InternalError:
    """Writes the traceback of an error that came outside a stage into a log of its own."""
    with tempfile.NamedTemporaryFile(prefix="lstmlm-", suffix=".log", delete=False) as stream:
        log = Path(stream.name)
    try:
        with captured(log):
            raise error
    except InternalError as logged:
        return logged


def _say(text: str) -> None:
    for line in text.splitlines():
        print(f"lstmlm: {line}", file=sys.stderr)


__all__ = ["app", "run"]
