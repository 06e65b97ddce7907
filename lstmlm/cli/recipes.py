"""The commands about recipes, and the demo's corpus."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lstmlm.checks.needs import EVERYTHING
from lstmlm.cli.console import Screen
from lstmlm.cli.logs import Terminal
from lstmlm.cli.options import Overrides, RecipePath, local_path, read_recipe

recipe_app = typer.Typer(help="What a recipe may say.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    recipe_app.command()(docs)
    recipe_app.command()(schema)
    recipe_app.command()(tasks)
    recipe_app.command()(check)
    app.add_typer(recipe_app, name="recipe", rich_help_panel="Around it")
    app.command("demo-corpus", rich_help_panel="Around it")(demo_corpus)


def docs() -> None:
    """Print every field of a recipe as Markdown."""
    from lstmlm.cli.recipe_docs import recipe_markdown

    typer.echo(recipe_markdown(), nl=False)


def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from lstmlm.plugins import builtin_names
    from lstmlm.recipe.schema import recipe_schema
    from lstmlm.recipe.task_options import PACKAGE

    typer.echo(json.dumps(recipe_schema(builtin_names(PACKAGE)), indent=1, ensure_ascii=False))


def tasks() -> None:
    """List the tasks a recipe can name."""
    import lstmlm.tasks
    from lstmlm.task import task_names

    names = task_names()
    for name in names:
        # Read, not imported: listing tasks runs no code of other packages.
        path = Path(lstmlm.tasks.__path__[0], f"{name}.py")
        source = path.read_text(encoding="utf-8") if path.is_file() else '"""Of an installed package."""'
        first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        typer.echo(f"{name:{max(map(len, names))}}  {first}")


def check(recipe: RecipePath, overrides: Overrides = None) -> None:
    """Check a recipe and the files it names; every fault is reported with its file, line and field."""
    from lstmlm.corpus.report.warnings import rule_warnings

    run = read_recipe(recipe, overrides, EVERYTHING)
    for warning in rule_warnings(run):
        typer.echo(f"lstmlm: warning: {warning}", err=True)
    typer.echo(f"{recipe}: a valid recipe; its run is stored in {run.run_folder}")


def demo_corpus(
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The .jsonl file to write.", show_default=False, callback=local_path
        ),
    ],
) -> None:
    """Write Python's own documentation as a corpus of paragraphs."""
    from lstmlm.cli.demo_corpus import write_demo_corpus

    with Screen(Terminal(sys.stdout, sys.stderr)) as screen:
        line = screen.stage("corpus")
        count = write_demo_corpus(output, line)
        line.finish(output, cached=False)
        screen.line(f"{output}: {count} records, {output.stat().st_size / 1e6:.1f} MB")
