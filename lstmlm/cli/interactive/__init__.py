"""`lstmlm try`: type an input, see what a model makes of it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmlm.cli.logs import captured_aside
from lstmlm.cli.options import DecodingFields, ExportPlaces, Threads, decoding_fields
from lstmlm.errors import UserError
from lstmlm.processes import interrupts

if TYPE_CHECKING:
    from lstmlm.api.model import Model

LEAST_BEAM = 5
WIDEST = 120


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("try", rich_help_panel="Around it")(try_model)


def try_model(
    exports: ExportPlaces,
    alternatives: Annotated[int, typer.Option(min=1, metavar="N", help="Outputs shown of an input.")] = 3,
    attention: Annotated[bool, typer.Option(help="Show what the model attends to, where it does.")] = True,
    objects: Annotated[
        bool,
        typer.Option(
            "--objects", help='Lines are objects of JSON: "text", and "prefix", "forced" and "forbidden" of its output.'
        ),
    ] = False,
    threads: Threads = None,
    overrides: DecodingFields = None,
) -> None:
    """Type inputs and see a model's outputs, alternatives and attention; or pipe inputs in, one a line."""
    from lstmlm.cli.interactive.inputs import asked, piped

    with captured_aside():
        from lstmlm.api.kind import TEXTS, kind_of

        model = _loaded(exports, alternatives, threads, decoding_fields(overrides))
        found = kind_of(model.task)
    if found is None:
        what = f"models of the task {model.recipe.task} take rows, not lines of text"
        raise UserError(what, where=exports[0], hint="Use `lstmlm infer`")
    name, kind = found
    if objects and kind is not TEXTS:
        what = f"models of the task {model.recipe.task} take no prefix, forced or forbidden phrases"
        raise UserError(what, where="--objects", hint="Leave it out")
    interrupts.explain("nothing is kept of what was typed")
    if sys.stdin.isatty():
        takes = "objects of JSON" if objects else "paths of audio files" if name == "transcribe" else kind.inputs
        print(f"{model.recipe.name}: {model.recipe.task}. Type {takes}; Ctrl-D ends.", flush=True)
    for given in asked(name) if sys.stdin.isatty() else piped(name):
        _answer(model, _object(given) if objects else given, attention=attention)


def _object(given: Any) -> Any:
    """Returns the input that a line of JSON is, or why it is none."""
    from lstmlm.api.inputs import with_constraints
    from lstmlm.api.outputs import Failed
    from lstmlm.task import BadRecord

    try:
        return with_constraints(json.loads(given))
    except ValueError as error:
        return Failed(0, given, f"not JSON: {error}")
    except BadRecord as problem:
        return Failed(0, given, str(problem))


def _answer(model: Model, given: Any, *, attention: bool) -> None:
    """Prints what the model makes of an input; one without an output costs a line on standard error."""
    from lstmlm.api.outputs import Failed
    from lstmlm.cli.interactive.shown import lines, plain

    output = given
    if not isinstance(given, Failed):
        (output,) = model.stream([given], errors="return", placed=False)
    if isinstance(output, Failed):
        print(f"lstmlm: {output.reason}", file=sys.stderr, flush=True)
        if not sys.stdout.isatty():
            print(flush=True)  # the n-th line of the output is the n-th input's
        return
    if not sys.stdout.isatty():
        print(plain(output), flush=True)
        return
    width = min(WIDEST, shutil.get_terminal_size().columns)
    print("\n".join(lines(output, model, width, attention=attention)), flush=True)


def _loaded(exports: Sequence[str], alternatives: int, threads: int | None, decoding: dict[str, Any]) -> Model:
    """Loads a model; one that the engine decodes gives alternatives, by a beam unless it samples."""
    from lstmlm.api.load import load

    model = load(exports, decoding=decoding, threads=threads)
    method = decoding.get("method") or ("sample" if model.recipe.decoding.method == "sample" else "beam")
    if not model.can_score or alternatives == 1 or method == "greedy":
        return model
    more: dict[str, Any] = {"method": method, "n_best": alternatives, "scores": True}
    if method == "beam":
        more["beam"] = max(LEAST_BEAM, alternatives, model.recipe.decoding.beam)
    return model.decoding_as(more | decoding)
