"""`lstmlm init`: writes a recipe for a corpus of one's own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from lstmlm.cli.options import local_path
from lstmlm.errors import UserError

MINUTES = 10.0


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="A whole recipe")(init)


def init(
    corpus: Annotated[
        Path,
        typer.Argument(metavar="CORPUS", help="A file, a folder or a glob.", show_default=False, callback=local_path),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The recipe to write.", callback=local_path)
    ] = Path("recipe.yaml"),
    task: Annotated[str | None, typer.Option(metavar="TASK", help="The task; absent: the likeliest.")] = None,
    source: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the input.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the output, the label or the answers.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=2, metavar="N", help=f"Time of the whole run; absent: {MINUTES:g}.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the run; absent: that of the corpus.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a recipe that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is found.")] = False,
) -> None:
    """Write a recipe for a corpus: looks at its columns and size, and asks at a terminal."""
    from lstmlm.checks.needs import EVERYTHING
    from lstmlm.checks.recipe import checked
    from lstmlm.cli.init.guess import guess, languages
    from lstmlm.cli.init.look import look
    from lstmlm.cli.init.plan import tasks
    from lstmlm.cli.init.sizes import sizes, this_machine
    from lstmlm.cli.init.text import recipe_text
    from lstmlm.publish.folder import replacing
    from lstmlm.recipe.file import draft_recipe

    if output.exists() and not force:
        raise UserError("there is a file already", where=str(output), hint="Name another by -o, or give --force")
    seen = look(corpus)
    found = guess(seen, task, source, target)
    asks = sys.stdin is not None and sys.stdin.isatty() and not yes
    if asks:
        columns = ", ".join(f"{one.name} ({one.kind})" for one in seen.columns.values())
        typer.echo(f"{corpus}: about {seen.rows:,} rows; columns: {columns}", err=True)
        task = _asked(f"Task ({', '.join(tasks())})", found.task)
        found = found if task == found.task else guess(seen, task, source, target)
        source = _asked("Column of the input", found.source)
        target = _asked("Column of the output", found.target) if found.target else None
        found = guess(seen, task, source, target)
        minutes = float(_asked("Minutes of the whole run", str(minutes or MINUTES)))
    minutes = minutes or MINUTES
    learnt = [seen.columns[one] for one in (found.source, found.target) if one is not None]
    spoken = languages(seen, [one.name for one in learnt if one.kind in ("text", "texts")])
    sections = sizes(seen, found, minutes, this_machine())
    text = recipe_text(name or _name_of(corpus), seen, found, sections, spoken, minutes, Path("runs"))
    checked(draft_recipe(text, str(output)), EVERYTHING)
    with replacing(output) as stream:
        stream.write(text.encode("utf-8"))
    typer.echo(f"{output}: task {found.task}: {found.why}")
    typer.echo(
        f"steps: {sections['training']['steps']:,}, for {minutes:g} minutes on {len(os.sched_getaffinity(0))} cores"
    )
    typer.echo(f"next: lstmlm run {output}")


def _asked(question: str, default: str | None) -> str:
    """Asks at the terminal; an empty answer is the default."""
    return str(typer.prompt(question, default=default, err=True))


def _name_of(corpus: Path) -> str:
    """Returns a name for the run, of letters, digits and `_`."""
    name = re.sub(r"\W+", "_", corpus.absolute().name.partition(".")[0]).strip("_")
    return name or "recipe"
