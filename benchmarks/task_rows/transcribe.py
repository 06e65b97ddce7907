"""Speech recognition: error rates and word times on spoken digits, and an hour of stereo in bounded memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from documents import CORPORA
from table import Row, row
from task_runs import RECIPES, ROOT, WORK, Result, run_recipe

_HOUR, _RATE = 3600, 44_100


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows."""
    steps = ["training.steps=20", "evaluation.thresholds={}"] if quick else []
    words = run_recipe(RECIPES / "fsdd_words.yaml", WORK / "fsdd_words", steps)
    fused = ["decoding.method=beam", f"task_options.language_model={words.folder / 'export'}"]
    for name, most, with_model in (("fsdd", 0.03, 0.02), ("fsdd_strings", 0.03, 0.03)):
        folder = WORK / name
        yield from _rates(name, "greedy", run_recipe(RECIPES / f"{name}.yaml", folder, steps), None if quick else most)
        for label, changes, bar in (
            ("beam 5 with a language model and a lexicon", [*fused, "task_options.lexicon=true"], with_model),
            ("greedy, int8", ["decoding.precision=int8"], None),
            ("greedy, SavedModel", ["decoding.backend=tensorflow"], None),
        ):
            # The stages before are those of the run above: only what decodes is run again.
            for stage in ("evaluate", "infer"):
                _clear(folder / stage)
            found = run_recipe(RECIPES / f"{name}.yaml", folder, [*steps, *changes], ["evaluate"])
            yield from _rates(name, label, found, None if quick else bar)
            _clear(folder / "evaluate")
    yield from _hour(WORK / "fsdd_strings", steps, quick)


def _rates(name: str, label: str, result: Result, bar: float | None) -> Iterator[Row]:
    found = result.metrics
    edits = f"{found['substitutions']} + {found['insertions']} + {found['deletions']} of {found['words']}"
    yield row(f"{name}, {label}: WER ({edits} words)", found["wer"], bar=bar, at_most=True, digits=4)
    if "time_error" in found and label == "greedy":
        yield row(f"{name}: median error of word times, s", found["time_error"], bar=bar and 0.06, at_most=True)
        yield row(f"{name}: 90th percentile of it, s", found["time_error_90"])


def _hour(folder: Path, steps: list[str], quick: bool) -> Iterator[Row]:
    """An hour of stereo at 44.1 kHz, made of the valid split, in WAV and in FLAC."""
    seconds = 60 if quick else _HOUR
    made, texts = _long_files(WORK / "hour", seconds), []
    for kind in made:
        command = [sys.executable, __file__, str(folder), str(kind), *steps]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}", "OMP_NUM_THREADS": "1"}
        answer = subprocess.run(command, check=True, capture_output=True, env=environment | _inherited(), cwd=ROOT)
        found = json.loads(answer.stdout.splitlines()[-1])
        texts.append(found["text"])
        share, gigabytes = found["cpu"] / seconds, found["bytes"] / 1e9
        label = f"{seconds} s of 44.1 kHz stereo {kind.suffix[1:]}"
        yield row(f"{label}: processor time over real time", share, bar=None if quick else 0.15, at_most=True)
        yield row(f"{label}: most memory, GB", gigabytes, bar=None if quick else 1.5, at_most=True)
    yield row("WAV and FLAC give the same text (1: yes)", float(texts[0] == texts[1]), bar=1)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMP_NUM_THREADS")}


def _long_files(folder: Path, seconds: int) -> list[Path]:
    """Writes the recordings of the valid split one after the other, until there are so many seconds."""
    import numpy as np
    import soundfile
    import soxr

    files = [folder / f"long-{seconds}.wav", folder / f"long-{seconds}.flac"]
    if all(file.is_file() for file in files):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted((CORPORA / "fsdd_strings" / "valid").glob("*.wav"))
    parts = [soxr.resample(soundfile.read(source, dtype="float32")[0], 8000, _RATE) for source in sources]
    # libsndfile rounds floats for WAV and for FLAC in different ways.
    rounded = [np.rint(np.clip(part, -1.0, 1.0) * 32767).astype(np.int16) for part in parts]
    for file in files:
        with soundfile.SoundFile(file, "w", _RATE, 2, subtype="PCM_16") as stream:
            written = place = 0
            while written < seconds * _RATE:
                part = rounded[place % len(parts)][: seconds * _RATE - written]
                stream.write(np.stack([part, part], axis=1))
                written, place = written + len(part), place + 1
    return files


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _transcribe(folder: Path, file: Path, changes: list[str]) -> None:
    """Transcribes a file in this process, on one thread, and prints what it took: its own and its children's."""
    from lstmlm.recipe.file import load_recipe
    from lstmlm.task import load_task

    recipe = load_recipe(RECIPES / "fsdd_strings.yaml", [f"output={folder}", *changes])
    model = load_task(recipe.task).predictor(folder / "export", recipe)
    before, started = _used()[0], time.monotonic()
    (found,) = model.predict([{"audio": str(file)}], [0])
    seconds, most = _used()
    print(
        json.dumps(
            {
                "cpu": seconds - before,
                "wall": time.monotonic() - started,
                "bytes": most,
                "text": found.fields["output"],
            }
        )
    )


def _used() -> tuple[float, float]:
    """Returns the processor time in seconds, and the most memory in bytes, of this process and its reader of audio."""
    import psutil

    seconds = most = 0.0
    for process in [psutil.Process(), *psutil.Process().children()]:
        times = process.cpu_times()
        seconds += times.user + times.system
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        most += 1024 * int(status.split("VmHWM:")[1].split()[0])
    return seconds, most


if __name__ == "__main__":
    _transcribe(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
