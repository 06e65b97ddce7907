"""Questions about passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lstmlm.cli.init.columns import texts
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Plan, Sections, Size
from lstmlm.cli.init.vocabulary import length, vocabulary


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    names = {name.lower(): name for name in seen.columns}
    question = next((names[name] for name in ("question", "query") if name in names), None)
    answers = target or next((names[name] for name in ("answers", "answer") if name in names), None)
    passages = [one for one in texts(seen) if one.name not in (question, answers)]
    passage = source or next((one.name for one in sorted(passages, key=lambda one: -one.words)), None)
    if question and answers and passage and question != passage:
        yield Guess(passage, answers, 4, f"{question!r} and {answers!r} are there", question=question)


def _size(seen: Look, found: Guess) -> Size:
    passage = seen.columns[found.source]
    longest = length(passage.longest, 320, 96)
    large = seen.rows > 1000 and passage.words > 40
    width = 96 if large else 32
    layers = {"encoder_units": width, "encoder_layers": 1, "units": width, "layers": 1}
    sections: Sections = {
        "task_options": {"max_answer": 24 if large else 8, "stride": max(16, (longest - 48) // 2)},
        "tokenizer": vocabulary(seen, found),
        "examples": {"max_source": longest},
        "model": {"embedding": 128 if large else 32, **layers, "dropout": 0.3 if large else 0.1},
        "training": {"batch": 32, "learning_rate": 0.002 if large else 0.005, "ema": 0.995, "metric": "f1"},
    }
    return Size(
        sections,
        step_flops=6 * 40 * width * width * 32 * longest * 2,
        epoch_steps=max(1.0, seen.rows / 32),
        most_epochs=15,
    )


def _fields(seen: Look, found: Guess, languages: Mapping[str, str]) -> Sections:
    """Returns the columns, and of where answers begin what a corpus does not say itself."""
    places = {} if "answer_start" in seen.columns else {"answer_start": None, "repeated": "any"}
    return {"task_options": {"question": found.question, "answers": found.target, **places}}


PLAN = Plan(_guesses, _size, _fields)
