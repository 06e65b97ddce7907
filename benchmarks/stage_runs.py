"""The stages of a tiny run, each in a fork of a process that has imported everything: to be cut and killed many times.

A fork takes milliseconds where a new process needs ten seconds to import TensorFlow, so hundreds of faults are
affordable. Training runs without Ray: one worker, in the fork.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pydoc_data.topics
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import choose_runner

RECIPE = """
name: tiny
task: generate
corpus: {train: text.jsonl, valid_fraction: 0.1, shards: 3, shuffle: true, exclusions: true, duplicates: {exact: true}}
tokenizer: {vocabulary: 600}
examples: {window: 16}
model: {embedding: 16, units: 24, dropout: 0.2}
training: {steps: 40, batch: 8, warmup: 2, evaluate_every: 10, evaluate_batches: 3, checkpoint_every: 5, workers: 1}
decoding: {max_tokens: 8, slots: 32}
inference: {input: prompts.jsonl, shards: 3}
"""
PROMPTS = 3000
STAGES = ("ingest", "tokenizer", "examples", "train", "export", "infer")

NOT_THE_SAME_TWICE = {"saved_model.pb", "fingerprint.pb", "metrics.jsonl"}
"""Files that hold TensorFlow's numbers of functions, or measured rates: only their presence is compared."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """A finished tiny run: the inputs of every stage, and what each must give.

    Attributes:
        folder: Holds the corpus and the output of every stage under the stage's name.
    """

    folder: Path

    def recipe(self, output: Path) -> Recipe:
        """Returns the recipe of a run whose own folder is below `output`."""
        return parse_recipe(RECIPE, "tiny", [f"corpus.root={self.folder}", f"output={output.parent / 'runs'}"])

    def reference(self, stage: str) -> dict[str, str]:
        """Returns the contents of the undisturbed output of a stage."""
        return contents(self.folder / stage)


def contents(folder: Path) -> dict[str, str]:
    """Returns name -> sha256 of the files of a finished folder, every byte of it checked.

    Raises:
        UserError: The folder is not finished or not whole.
    """
    files = read_manifest(folder, verify=True).files
    return {name: "" if name in NOT_THE_SAME_TWICE else facts["sha256"] for name, facts in files.items()}


def prepare(folder: Path) -> Inputs:
    """Makes the corpus and runs every stage once."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [
        part for topic in sorted(pydoc_data.topics.topics) for part in pydoc_data.topics.topics[topic].split("\n\n")
    ]
    lines = [json.dumps({"text": " ".join(text.split())}) for text in texts if text.strip()]
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    prompts = (json.dumps({"text": " ".join(texts[n % len(texts)].split()[:4])}) for n in range(PROMPTS))
    (folder / "prompts.jsonl").write_text("\n".join(prompts) + "\n", encoding="utf-8")
    import_all()
    inputs = Inputs(folder)
    for stage in STAGES:
        run = start(inputs, stage, folder / stage)
        if run.finish() != 0:
            raise SystemExit(f"the stage {stage} failed without any fault")
    return inputs


def import_all() -> None:
    """Imports what the stages need, and starts nothing."""
    for name, value in {"CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}.items():
        os.environ.setdefault(name, value)
    import lstmlm.corpus.passes.process
    import lstmlm.examples.build
    import lstmlm.export
    import lstmlm.inference.job
    import lstmlm.inference.model.engine_model
    import lstmlm.inference.model.handler
    import lstmlm.inference.run
    import lstmlm.tasks.generate
    import lstmlm.training.run
    import lstmlm.training.workers.worker  # noqa: F401


def run_stage(inputs: Inputs, stage: str, output: Path, say: Callable[[str], None], *, processes: bool = False) -> None:
    """Runs one stage in this process, as the command line does.

    Args:
        inputs: The finished run.
        stage: One of `STAGES`.
        output: Its output folder.
        say: Called with `step N` after each checkpoint.
        processes: Decode in two worker processes.
    """
    recipe, done, folder = inputs.recipe(output), Silent(), inputs.folder
    if stage == "ingest":
        from lstmlm.corpus.ingest import ingest

        ingest(recipe, output, done)
    elif stage == "tokenizer":
        from lstmlm.vocabulary.stage import train_tokenizer

        train_tokenizer(recipe, folder / "ingest", output, done)
    elif stage == "examples":
        from lstmlm.examples.build import build_examples

        build_examples(recipe, folder / "ingest", folder / "tokenizer", output, done)
    elif stage == "train":
        _train(recipe, folder, output, say)
    elif stage == "export":
        from lstmlm.export import export

        export(recipe, folder / "train", folder / "tokenizer", output, done)
    elif stage == "infer":
        from lstmlm.inference.run import infer

        runner = choose_runner("processes", 2, ()) if processes else None
        infer(recipe, folder / "export", output, done, resume=True, runner=runner)


def _train(recipe: Recipe, folder: Path, output: Path, say: Callable[[str], None]) -> None:
    from lstmlm.training.checkpoints import keeper
    from lstmlm.training.run import train
    from lstmlm.training.workers import distributed, worker
    from lstmlm.training.workers.all_reduce import SingleWorker

    save = keeper.save_checkpoint

    def saved(work: Path, variables: object, position: object, *more: object) -> None:
        save(work, variables, position, *more)  # type: ignore[arg-type]
        say(f"step {position.step}")  # type: ignore[attr-defined]

    def here(recipe: Recipe, examples: Path, tokenizer: Path, work: Path, address: str | None) -> None:
        worker.train_worker(recipe, examples, tokenizer, work, SingleWorker(), lambda row: None)

    keeper.save_checkpoint = saved  # type: ignore[assignment]
    distributed.train_on_ray = here
    train(recipe, folder / "examples", folder / "tokenizer", output, Silent())


def _say(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())


class Run:
    """A stage in a fork, in a process group of its own."""

    def __init__(self, pid: int, pipe: int, log: Path) -> None:
        self.pid, self._pipe, self._log = pid, pipe, log
        self._said = b""
        self._code: int | None = None

    def said(self) -> list[str]:
        """Returns what the stage has said so far: `done` comes last, when the stage has returned."""
        os.set_blocking(self._pipe, False)
        try:
            while chunk := os.read(self._pipe, 4096):
                self._said += chunk
        except BlockingIOError:
            pass
        return self._said.decode().split("\n")[:-1]

    def wait_until(self, moment: float) -> list[str]:
        """Waits until a moment of the monotonic clock or the end of the stage; returns what it said."""
        while time.monotonic() < moment and "done" not in self.said():
            time.sleep(0.002)
        return self.said()

    def kill(self, *, only_this: bool = False) -> None:
        """Kills the whole group at once, or its first process only."""
        if self._code is None:
            (os.kill if only_this else os.killpg)(self.pid, signal.SIGKILL)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._pipe)

    def finish(self) -> int:
        """Waits for the end; returns the exit code."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self.said()
            os.close(self._pipe)
        if self._code > 0:
            print(self._log.read_text()[-3000:], file=sys.stderr)
        return self._code


def start(
    inputs: Inputs,
    stage: str,
    output: Path,
    before: Callable[[], object] = lambda: None,
    *,
    processes: bool = False,
) -> Run:
    """Starts a stage in a fork.

    Args:
        inputs: The finished run.
        stage: One of `STAGES`.
        output: Its output folder.
        before: Called in the fork first.
        processes: Decode in two worker processes.
    """

    def work(writer: int) -> None:
        before()
        run_stage(inputs, stage, output, lambda line: _say(writer, line), processes=processes)

    return forked(work, inputs.folder / f"{stage}.log")


def forked(work: Callable[[int], object], log: Path) -> Run:
    """Runs something in a fork, in a process group of its own.

    Args:
        work: Gets the descriptor of the pipe that `Run.said` reads.
        log: Gets what it prints, and the traceback where it fails.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writer)
        return Run(pid, reader, log)
    code = 1
    try:
        os.setpgid(0, 0)
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, 1)
        os.dup2(target, 2)
        work(writer)
        os.write(writer, b"done\n")
        code = 0
    except BaseException as error:
        import traceback

        from lstmlm.errors import ExitCode, TryAgain

        traceback.print_exc()
        code = ExitCode.TRY_AGAIN if isinstance(error, TryAgain) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
