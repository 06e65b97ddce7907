"""The commands that run one stage each: read finished folders, publish one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured
from lstmlm.cli.needs import CORPUS, EXPORT, TOKENIZER
from lstmlm.cli.options import (
    BeamOptions,
    BeamWorkers,
    ExamplesFolder,
    ExportFolder,
    ModelFolder,
    Output,
    Overrides,
    RayAddress,
    RecipePath,
    Records,
    RunnerName,
    TokenizerFolder,
    local_path,
    read_recipe,
)
from lstmlm.cli.results import show_decoded, show_facts, show_judgement
from lstmlm.cli.streams import input_file, output_folder
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.folder import MANIFEST, Manifest
from lstmlm.publish.places import companion
from lstmlm.runners.runner import choose_runner

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    for command in (ingest, clean, tokenizer, examples, train, average, export, evaluate, infer, score):
        app.command(rich_help_panel="One stage")(command)


def ingest(
    recipe: RecipePath,
    output: Output,
    overrides: Overrides = None,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Read the corpus into records."""
    place = choose_runner(runner, workers, beam_option or ())

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.corpus.ingest import ingest

        return ingest(run, output, progress, runner=place)

    _stage("ingest", read_recipe(recipe, overrides, [CORPUS]), output, stage)


def clean(
    recipe: RecipePath,
    output: Output,
    overrides: Overrides = None,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Write the cleaned corpus as gzipped JSON lines, without splits: to keep or to pass on."""
    place = choose_runner(runner, workers, beam_option or ())

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.corpus.ingest import clean

        return clean(run, output, progress, runner=place)

    _stage("clean", read_recipe(recipe, overrides, [CORPUS]), output, stage)


def tokenizer(recipe: RecipePath, records: Records, output: Output, overrides: Overrides = None) -> None:
    """Train the SentencePiece vocabulary."""

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.vocabulary.stage import train_tokenizer

        return train_tokenizer(run, records, output, progress)

    _stage("tokenizer", read_recipe(recipe, overrides, [TOKENIZER]), output, stage)


def examples(
    recipe: RecipePath,
    records: Records,
    tokenizer: TokenizerFolder,
    output: Output,
    overrides: Overrides = None,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Turn records into token ids, laid out for training."""
    place = choose_runner(runner, workers, beam_option or ())

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.examples.build import build_examples

        return build_examples(run, records, tokenizer, output, progress, runner=place)

    _stage("examples", read_recipe(recipe, overrides), output, stage)


def train(
    recipe: RecipePath,
    examples: ExamplesFolder,
    tokenizer: TokenizerFolder,
    output: Output,
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
    """Train the model on Ray."""
    changes = [*(overrides or ()), *([f"training.workers={workers}"] if workers is not None else ())]

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.training.auto import choose_here
        from lstmlm.training.run import train

        if auto:
            run = choose_here(run, examples, tokenizer, output, progress, memory)
        return train(run, examples, tokenizer, output, progress, ray_address=ray_address)

    _stage("train", read_recipe(recipe, changes), output, stage)


def average(
    model: ModelFolder,
    output: Output,
    count: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Average the K best evaluations; absent: all that were kept.")
    ] = None,
) -> None:
    """Average the weights of a model's best evaluations (training.keep_best)."""
    from lstmlm.training.checkpoints.average import average

    manifest = average(model, output, count)
    print(f"{output}: the mean of {', '.join(manifest.facts['averaged'])}")


def export(
    recipe: RecipePath, model: ModelFolder, tokenizer: TokenizerFolder, output: Output, overrides: Overrides = None
) -> None:
    """Write the SavedModel: text in, text out."""

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.export import export

        return export(run, model, tokenizer, output, progress)

    _stage("export", read_recipe(recipe, overrides, [EXPORT]), output, stage)


def evaluate(
    recipe: RecipePath, export: ExportFolder, records: Records, output: Output, overrides: Overrides = None
) -> None:
    """Evaluate the exported model; exit code 3 where it is outside the recipe's thresholds."""

    def stage(run: Recipe, progress: Progress) -> Manifest:
        from lstmlm.evaluation.run import evaluate

        return evaluate(run, export, records, output, progress)

    _stage("evaluate", read_recipe(recipe, overrides), output, stage, show_judgement)


def infer(
    recipe: RecipePath,
    export: ExportFolder,
    output: Output,
    overrides: Overrides = None,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Decode the valid split of this `lstmlm ingest` output.", callback=local_path),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Decode this file, folder or glob: JSONL, TSV, CSV, TXT, parquet or TFRecord; `-`: standard input.",
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
    """Decode a batch of texts."""
    if records is not None and input is not None:
        raise UserError("--records and --input both name what to decode", hint="Leave one of them out")
    # What is named here goes before what the recipe names.
    changes = [*(overrides or ()), *(["inference.input=null"] if records is not None else ())]
    place, run = choose_runner(runner, workers, beam_option or ()), read_recipe(recipe, changes)
    asked = run.inference
    with output_folder(output, "predictions-*", asked.format) as folder, input_file(input, asked.field) as source:
        metrics = companion(folder, ".metrics.json")

        def stage(run: Recipe, progress: Progress) -> Manifest:
            from lstmlm.inference.run import infer

            chosen = {"records": records, "input": source, "runner": place, "resume": resume, "metrics": metrics}
            return infer(run, export, folder, progress, **chosen)  # type: ignore[arg-type]

        _stage("infer", run, folder, stage, lambda screen, _: show_decoded(screen, folder, metrics))


def score(
    recipe: RecipePath,
    export: ExportFolder,
    output: Output,
    input: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="Score this file, folder or glob; `-`: standard input.",
            show_default=False,
        ),
    ],
    overrides: Overrides = None,
) -> None:
    """Say how likely the model finds given texts."""
    run = read_recipe(recipe, overrides)
    with output_folder(output, "scores.jsonl") as folder, input_file(input, run.inference.field) as source:

        def stage(run: Recipe, progress: Progress) -> Manifest:
            from lstmlm.inference.scores import score_texts

            return score_texts(run, export, source or input, folder, progress)

        _stage("score", run, folder, stage)


def _stage(
    name: str,
    recipe: Recipe,
    output: Path,
    stage: Callable[[Recipe, Progress], Manifest],
    after: Callable[[Screen, Path], None] | None = None,
) -> None:
    """Runs a stage on the screen, and shows what came out."""
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        line = screen.stage(name)
        cached = (output / MANIFEST).is_file()  # a stage keeps a finished folder, or refuses it
        manifest = stage(recipe, line)
        screen.summary([line.finish(output, cached=cached)])
        show_facts(screen, manifest)
        if after is not None:
            after(screen, output)
