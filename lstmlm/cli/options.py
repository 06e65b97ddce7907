"""Arguments and options that several commands share, and how a command reads its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmlm.errors import UserError
from lstmlm.publish.places import check_local
from lstmlm.storage import StorePath, place

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


def local_path(context: typer.Context, option: typer.CallbackParam, path: Path | None) -> Path | None:
    """Refuses the URL of an object store or a server, for a path that must be on this machine.

    Raises:
        UserError: It is one; the option is named.
    """
    if path is not None:
        check_local(path, option.opts[-1] if option.param_type_name == "option" else str(option.metavar))
    return path


def any_place(context: typer.Context, option: typer.CallbackParam, path: Path | None) -> Path | None:
    """Accepts a folder of this machine or of an object store; the command calls `place`, for typer makes it a path.

    Raises:
        UserError: It is a URL of another kind; the option is named.
    """
    return path if path is None or isinstance(place(path), StorePath) else local_path(context, option, path)


def any_places(context: typer.Context, option: typer.CallbackParam, paths: list[Path] | None) -> list[Path] | None:
    """As `any_place`, for an option that may be given several times."""
    return None if paths is None else [path for path in paths if any_place(context, option, path)]


RecipePath = Annotated[
    Path,
    typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False, callback=local_path),
]
OptionalRecipe = Annotated[
    Path | None,
    typer.Argument(
        metavar="[RECIPE]",
        help="The recipe; absent: what the export holds of it.",
        show_default=False,
        callback=local_path,
    ),
]
TestSets = Annotated[
    list[Path] | None,
    typer.Option(
        "--input",
        metavar="PATH",
        help="A test set: a file, folder or glob, read as the corpus was, with the same columns; repeatable.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Folder to publish; absent or empty.",
        show_default=False,
        callback=local_path,
    ),
]
AnyOutput = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Folder to publish, also of s3:// or gs://; absent or empty.",
        show_default=False,
        callback=any_place,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, such as training.steps=100; repeatable."),
]
TokenizerFolder = Annotated[
    Path,
    typer.Option(
        "--tokenizer", metavar="DIR", help="Output of `lstmlm tokenizer`.", show_default=False, callback=local_path
    ),
]
AnyTokenizer = Annotated[
    Path,
    typer.Option(
        "--tokenizer",
        metavar="DIR",
        help="Output of `lstmlm tokenizer`, also of s3:// or gs://.",
        show_default=False,
        callback=any_place,
    ),
]
AnyExamples = Annotated[
    Path,
    typer.Option(
        "--examples",
        metavar="DIR",
        help="Output of `lstmlm examples`, also of s3:// or gs://.",
        show_default=False,
        callback=any_place,
    ),
]
AnyExport = Annotated[
    Path,
    typer.Option(
        "--export",
        metavar="DIR",
        help="Output of `lstmlm export`, also of s3:// or gs://.",
        show_default=False,
        callback=any_place,
    ),
]
AnyModel = Annotated[
    Path,
    typer.Option(
        "--model",
        metavar="DIR",
        help="Output of `lstmlm train`, also of s3:// or gs://.",
        show_default=False,
        callback=any_place,
    ),
]
ExportFolders = Annotated[
    list[Path],
    typer.Option(
        "--export",
        metavar="DIR",
        help="Output of `lstmlm export`, also of s3:// or gs://, or `pushed` of a run; several decode as an ensemble.",
        show_default=False,
        callback=any_places,
    ),
]
ExportPlaces = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...",
        help="An export folder, or the URL of one; several decode as an ensemble.",
        show_default=False,
    ),
]
DecodingFields = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="How to decode, such as decoding.precision=int8; repeatable."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Threads to compute with; absent: one for each core.")
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="ADDRESS", help="Ray cluster to train on; absent: one started here."),
]

RunnerName = Annotated[
    str,
    typer.Option("--runner", metavar="NAME", help="Where Beam runs: direct, processes, flink, spark or dataflow."),
]
BeamWorkers = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Worker processes, or how wide a cluster spreads each step."),
]
BeamOptions = Annotated[
    list[str] | None,
    typer.Option("--beam-option", metavar="KEY=VALUE", help="An option of Beam or its runner; repeatable."),
]
BEAM: dict[str, tuple[Any, Any]] = {
    "runner": (RunnerName, "direct"),
    "workers": (BeamWorkers, None),
    "beam_option": (BeamOptions, None),
}
"""Name of a parameter -> its type and default, of commands that run on Beam."""


def decoding_fields(overrides: Sequence[str] | None) -> dict[str, Any]:
    """Returns the fields of `decoding` that `--set` gives, of a command that takes no others.

    Raises:
        UserError: One is of another section, or has no value.
    """
    from lstmlm.recipe.file import override_value

    found: dict[str, Any] = {}
    for override in overrides or ():
        key, equals, text = override.partition("=")
        section, _, name = key.strip().partition(".")
        if section != "decoding" or not name or not equals:
            hint = "Write for example --set decoding.method=beam"
            raise UserError("only fields of `decoding` can be set here", where=f"--set {override}", hint=hint)
        found[name] = override_value(text).content
    return found


def recipe_of_export(
    path: Path | None, export: Path, overrides: Sequence[str] | None, needs: Sequence[str] = ()
) -> Recipe:
    """Reads the recipe of a model: the one that is named, else the one that the export holds.

    Raises:
        UserError: See `read_recipe` and `lstmlm.inference.model.stored.stored_recipe`.
    """
    if path is not None:
        return read_recipe(path, overrides, needs)
    from lstmlm.api.recipes import recipe_of
    from lstmlm.inference.model.stored import stored_recipe

    found = stored_recipe(export)
    return recipe_of(found, overrides) if overrides else found


def read_recipe(path: Path, overrides: Sequence[str] | None, needs: Sequence[str] = ()) -> Recipe:
    """Reads and checks a recipe before any work.

    Args:
        path: The recipe.
        overrides: `section.field=value` strings.
        needs: What the command works with, as in `lstmlm.checks.recipe`; files of these must be there.

    Raises:
        UserError: A line for each fault; see `lstmlm.checks.recipe.checked_recipe`.
    """
    from lstmlm.checks.recipe import checked_recipe

    return checked_recipe(path, overrides or (), needs)
