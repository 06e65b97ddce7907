"""The commands of stages that have options of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmlm.cli.options import (
    AnyExamples,
    AnyExport,
    AnyModel,
    AnyOutput,
    AnyTokenizer,
    BeamOptions,
    BeamWorkers,
    ExportFolders,
    OptionalRecipe,
    Output,
    Overrides,
    RayAddress,
    RecipePath,
    RunnerName,
    TestSets,
    TokenizerFolder,
    any_place,
    local_path,
    read_recipe,
    recipe_of_export,
)
from lstmlm.cli.results import show_decoded, show_verdict
from lstmlm.cli.stages.run import run_stage
from lstmlm.cli.streams import input_file, output_folder
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.cache import local_copy
from lstmlm.publish.folder import Manifest
from lstmlm.publish.places import metrics_file
from lstmlm.runners.runner import choose_runner
from lstmlm.stages import STAGES
from lstmlm.storage import place

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


def train(
    recipe: RecipePath,
    examples: AnyExamples,
    tokenizer: AnyTokenizer,
    output: AnyOutput,
    overrides: Overrides = None,
    ray_address: RayAddress = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Ray Train workers; the same as --set training.workers=N.")
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Choose batch, threads and precision by a short measurement on this machine.")
    ] = False,
    memory: Annotated[
        float | None, typer.Option(min=0.1, metavar="GB", help="Memory that --auto may plan with; absent: most of it.")
    ] = None,
) -> None:
    """Trains, with settings chosen by a measurement where that is asked for."""
    changes = [*(overrides or ()), *([f"training.workers={workers}"] if workers is not None else ())]
    stage = STAGES["train"]

    folder = place(output)

    def work(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.training.auto import choose_here

        if auto:
            run = choose_here(run, examples, tokenizer, folder, progress, memory)
        return stage.load()(run, examples, tokenizer, folder, progress, ray_address=ray_address)

    run = read_recipe(recipe, changes, stage.checks)
    run_stage(stage.name, run, folder, work, inputs=[examples, tokenizer])


def vectors(
    recipe: RecipePath,
    tokenizer: TokenizerFolder,
    input: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Vectors in the text form of word2vec or GloVe: a word and its numbers on each line.",
            show_default=False,
            callback=local_path,
        ),
    ],
    output: Output,
    overrides: Overrides = None,
) -> None:
    """Makes a model folder of vectors."""
    stage = STAGES["vectors"]

    def work(run: Recipe, progress: Progress) -> Manifest:
        return stage.load()(run, tokenizer, output, progress, input=input)

    run = read_recipe(recipe, overrides, stage.checks)
    run_stage(stage.name, run, output, work, inputs=[tokenizer, input])


def average(
    model: AnyModel,
    output: AnyOutput,
    count: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Average the K best evaluations; absent: all that were kept.")
    ] = None,
) -> None:
    """Averages without a recipe: the model holds its own."""
    manifest = STAGES["average"].load()(model, output, count)
    print(f"{place(output)}: the mean of {', '.join(manifest.facts['averaged'])}")


def infer(
    recipe: RecipePath,
    export: ExportFolders,
    output: AnyOutput,
    overrides: Overrides = None,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Decode the valid split of this `lstmlm ingest` output.", callback=any_place),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Decode this file, folder or glob, also of s3:// or gs://: JSONL, TSV, CSV, TXT, parquet or (local "
            "only) TFRecord; `-`: standard input.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Resume a stopped job, which the same command does by itself; refuse work of another job."
        ),
    ] = False,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Decodes records, files or standard input, to a folder or to standard output."""
    if records is not None and input is not None:
        raise UserError("--records and --input both name what to decode", hint="Leave one of them out")
    # What is named here goes before what the recipe names.
    changes = [*(overrides or ()), *(["inference.input=null"] if records is not None else ())]
    from lstmlm.api.load import last_version

    one, *models = [last_version(path) or path for path in export]
    if models:
        changes.append(f"inference.models={json.dumps([*map(str, models)])}")
    from lstmlm.inference.input.inputs import input_form

    stage = STAGES["infer"]
    chosen_runner, run = choose_runner(runner, workers, beam_option or ()), read_recipe(recipe, changes, stage.checks)
    asked = run.inference
    with (
        output_folder(place(output), "predictions-*", asked.format) as folder,
        input_file(input, asked.field, input_form(run)) as source,
    ):
        metrics = metrics_file(folder)

        def work(run: Recipe, progress: Progress) -> Manifest:
            chosen = {
                "records": records,
                "input": source,
                "runner": chosen_runner,
                "resume": resume,
                "metrics": metrics,
            }
            return stage.load()(run, one, folder, progress, **chosen)

        inputs = [one, *models, records, source]
        run_stage(stage.name, run, folder, work, lambda *at: show_decoded(at[0], folder, asked.format, metrics), inputs)


def score(
    recipe: RecipePath,
    export: AnyExport,
    output: AnyOutput,
    input: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="Score this file, folder or glob, also of s3:// or gs://; `-`: standard input.",
            show_default=False,
        ),
    ],
    overrides: Overrides = None,
) -> None:
    """Scores files or standard input, to a folder or to standard output."""
    from lstmlm.inference.input.inputs import input_form

    stage = STAGES["score"]
    run = read_recipe(recipe, overrides, stage.checks)
    with (
        output_folder(place(output), "scores.jsonl") as folder,
        input_file(input, run.inference.field, input_form(run)) as source,
    ):

        def work(run: Recipe, progress: Progress) -> Manifest:
            return stage.load()(run, export, source or input, folder, progress)

        run_stage(stage.name, run, folder, work, inputs=[export, source or input])


def evaluate(
    export: AnyExport,
    output: AnyOutput,
    recipe: OptionalRecipe = None,
    overrides: Overrides = None,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Output of `lstmlm ingest`: its valid split is evaluated; with --input, baselines learn from its "
            "train split.",
            callback=any_place,
        ),
    ] = None,
    input: TestSets = None,
) -> None:
    """Evaluates on the valid split of records, or on test sets."""
    if records is None and not input:
        hint = "Name a test set by --input, or the output of `lstmlm ingest` by --records"
        raise UserError("nothing to evaluate on", hint=hint)
    stage, output, export = STAGES["evaluate"], place(output), local_copy(export)

    def work(run: Recipe, progress: Progress) -> Manifest:
        if not input:
            return stage.load()(run, export, records, output, progress)
        from lstmlm.evaluation.sets.evaluate import evaluate_sets

        return evaluate_sets(run, export, input, output, progress, records=records)

    run = recipe_of_export(recipe, export, overrides, stage.checks)
    run_stage(stage.name, run, output, work, show_verdict, [export, records, *(input or ())])


SPECIAL: Mapping[str, Callable[..., None]] = {
    "train": train,
    "vectors": vectors,
    "average": average,
    "evaluate": evaluate,
    "infer": infer,
    "score": score,
}
"""Stage -> its command; the others follow the table by themselves."""
