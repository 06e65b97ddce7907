"""`lstmlm submit`: a recipe as a job of a Ray cluster, with its log, its progress and its exit code here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lstmlm.checks.needs import EVERYTHING, need_package
from lstmlm.cli.jobs.entrypoint import entrypoint, recipe_variables
from lstmlm.cli.options import Overrides, RecipePath, read_recipe
from lstmlm.errors import ExitCode, UserError
from lstmlm.jobs.submission import Submission, start_or_attach
from lstmlm.jobs.submission import stop as stop_job
from lstmlm.processes import interrupts
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import Stage, stage_named

ADDRESS = "Job server of the cluster, such as http://HEAD:8265; it is the dashboard of the head node."
PATIENCE_SECONDS = 60.0


def submit(
    recipe: RecipePath,
    address: Annotated[str, typer.Option(metavar="URL", envvar="RAY_API_SERVER_ADDRESS", help=ADDRESS)],
    overrides: Overrides = None,
    stage: Annotated[str | None, typer.Option(metavar="NAME", help="Run only this stage; needs --run-id.")] = None,
    run_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Name of the run; absent: one that follows from the recipe and its files."),
    ] = None,
    command: Annotated[str, typer.Option(metavar="COMMAND", help="How the cluster calls lstmlm.")] = "lstmlm",
    wait: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="How long to wait for a job server that does not answer.")
    ] = PATIENCE_SECONDS,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the job that is at this work, and wait until it has ended.")
    ] = False,
) -> int:
    """Run every stage as a job of a Ray cluster; its log is shown here, and its exit code is this command's."""
    if stage is not None and run_id is None:
        raise UserError("--stage needs --run-id", hint="Give each stage of one run the same id")
    need_package("aiohttp", "jobs")
    only = None if stage is None else stage_named(stage)
    loaded = read_recipe(recipe, overrides, EVERYTHING)
    from pipelines.finished import run_content

    content = run_content(loaded)
    run_id = run_id or f"submit-{content[:16]}"
    if not stop and _answered(loaded, run_id, only):
        return ExitCode.OK
    work = Submission(
        name=loaded.name,
        run=f"{loaded.run_folder.resolve()} {run_id}",
        stage=stage or "",
        content=content,
        entrypoint=entrypoint(command, recipe, run_id, stage, overrides or ()),
        variables=recipe_variables(recipe, overrides or ()),
    )
    if stop:
        return _stopped(work, address, wait)
    code, job = _followed(work, address, wait)
    if _answered(loaded, run_id, only):
        return ExitCode.OK
    if code == ExitCode.OK:
        what = f"the job {job} succeeded, but its results are not in {loaded.run_folder} on this machine"
        raise UserError(what, where="output", hint="Set it to a folder that the cluster and this machine share")
    _say(f"the job {job} ended with exit code {code}{_remark(code)}")
    return code


def _followed(work: Submission, address: str, wait: float) -> tuple[int, str]:
    """Runs a job to its end, or attaches to it. Returns its exit code and its submission id."""
    from lstmlm.jobs.follow import follow
    from lstmlm.jobs.server import JobServer

    server = JobServer(address, wait, lambda reason: _say(f"waiting: {reason}"))
    started = start_or_attach(server, work)
    stop = f"ray job stop --address {server.address} {started.job}"
    interrupts.explain(f"the job {started.job} continues on the cluster. To stop it, run: {stop}")
    _say(f"{'submitted' if started.new else 'attached to'} the job {started.job}; Ctrl-C leaves it running")
    return follow(server, started.job, _show), started.job


def _stopped(work: Submission, address: str, wait: float) -> int:
    """Stops the job of a run, where there is one."""
    from lstmlm.jobs.server import JobServer

    job = stop_job(JobServer(address, wait, lambda reason: _say(f"waiting: {reason}")), work)
    _say(f"stopped the job {job}" if job else "no job is at this work")
    return ExitCode.OK


def _answered(recipe: Recipe, run_id: str, only: Stage | None) -> bool:
    """Says whether the run has finished, as its published folders say and not a job's status.

    Raises:
        BelowThreshold: It has, and the model was not good enough.
    """
    from pipelines.finished import run_is_finished

    if not run_is_finished(recipe, run_id, only):
        return False
    what = "the run" if only is None else f"the stage `{only.name}` of the run"
    _say(f"{what} {run_id} has finished; its results are in {recipe.run_folder}")
    return True


def _remark(code: int) -> str:
    if code == 128 + 9:
        return ": SIGKILL, most often for lack of memory"
    if code == 128 + 15:
        return ": it was stopped"
    return "; the lines above say why" if code in {*ExitCode} else ""


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _say(text: str) -> None:
    print(f"lstmlm: {text}", file=sys.stderr, flush=True)
