"""Transcripts of audio files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lstmlm.cli.init.columns import likely_first, outputs
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Plan, Sections, Size


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    audio = next((one for one in seen.columns.values() if one.kind == "audio" and source in (None, one.name)), None)
    texts = outputs(seen)
    named = [one for one in texts if one.name == target] if target else likely_first(texts, ("transcript", "text"))
    if audio is not None and named:
        yield Guess(audio.name, named[0].name, 5, f"{audio.name!r} has audio files")


def _size(seen: Look, found: Guess) -> Size:
    sections: Sections = {
        "task_options": {"rate": 8000, "mels": 40, "stack": 5, "stride": 3, "augment": {"noise": 0.2}},
        "tokenizer": {"algorithm": "character", "vocabulary": 1000},
        "model": {"encoder_units": 96, "encoder_layers": 2, "dropout": 0.3},
        "training": {"batch": 32, "learning_rate": 0.005, "ema": 0.995, "metric": "wer"},
        "decoding": {"batch": 16},
    }
    step_flops = 6 * 2 * 8 * (200 + 96) * 96 * 32 * 60 * 4
    return Size(sections, step_flops, epoch_steps=max(1.0, seen.rows / 32), most_epochs=60)


def _fields(seen: Look, found: Guess, languages: Mapping[str, str]) -> Sections:
    return {"corpus": {"target": found.target}}


PLAN = Plan(_guesses, _size, _fields)
