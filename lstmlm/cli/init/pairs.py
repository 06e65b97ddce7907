"""What `lstmlm init` knows of tasks of pairs of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.cli.init.columns import outputs
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Plan, Sections, Size
from lstmlm.cli.init.vocabulary import length, vocabulary


def pair_plan(*, shorter: float, alike: float) -> Plan:
    """Returns the plan of a task of pairs.

    Args:
        shorter: How likely the task is where the output is much shorter than the input; see `Guess.likelihood`.
        alike: How likely it is where they are about as long.
    """

    def guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
        found = _pair(seen, source, target)
        if found is not None:
            text, other, is_shorter = found
            how = "much shorter than" if is_shorter else "about as long as"
            yield Guess(text, other, shorter if is_shorter else alike, f"{other!r} is {how} {text!r}")

    return Plan(guesses, _size, _fields)


def _pair(seen: Look, source: str | None, target: str | None) -> tuple[str, str, bool] | None:
    """Finds a pair of columns of text, and says whether the output is much shorter than the input, as a summary is.

    Args:
        seen: The corpus.
        source: Column of the input, if it is named.
        target: Column of the output, if it is named.

    Returns:
        Input, output, and whether it looks like a summary; None: there is no pair.
    """
    columns = outputs(seen)
    names = {one.name: one for one in columns}
    if target and not source:
        source = next((one.name for one in columns if one.name != target and one.kind == "text"), None)
    if source and not target:
        target = next((one.name for one in columns if one.name != source), None)
    if not source and not target:
        ordered = [one for one in columns if one.filled > 0.5]
        if len(ordered) < 2:
            return None
        longest = max(ordered, key=lambda one: one.words)
        other = next(one for one in ordered if one is not longest)
        shorter = longest.kind == "text" and longest.words > 30 and other.words < longest.words / 2
        source, target = (longest.name, other.name) if shorter else (ordered[0].name, ordered[1].name)
    if source not in names or target not in names or names[source].kind != "text":
        return None
    words = names[source].words
    return source, target, words > 30 and names[target].words < words / 2


def _size(seen: Look, found: Guess) -> Size:
    """Returns the sizes of an encoder and a decoder."""
    assert found.target is not None
    source, target = seen.columns[found.source], seen.columns[found.target]
    words, large = vocabulary(seen, found), seen.characters > 1_000_000
    embedding, units, tokens = (256, 512, 2048) if large else (128, 256, 1024)
    longest = length(source.longest, 320), length(target.longest, 128)
    batch = max(tokens, 4 * sum(longest))
    encoder = 8 * (embedding + units // 2) * units // 2
    flops = 6 * (encoder + 4 * (embedding + units) * units + units * words["vocabulary"]) / 2
    encoder_sizes = {"encoder_units": units // 2, "encoder_layers": 1}
    dropout = 0.1 if seen.rows > 50_000 else 0.3
    sections: dict[str, dict[str, Any]] = {
        "tokenizer": words,
        "examples": {"max_source": longest[0], "max_target": longest[1]},
        "model": {"embedding": embedding, "units": units, **encoder_sizes, "dropout": dropout},
        "training": {"batch_tokens": batch, "learning_rate": 0.003, "label_smoothing": 0.1, "ema": 0.998},
        "decoding": {"max_tokens": longest[1]},
    }
    return Size(
        sections,
        step_flops=flops * batch,
        epoch_steps=max(1.0, seen.rows * 1.5 * (source.words + target.words) / batch),
        most_epochs=12 if seen.rows > 50_000 else 30,
        shared_out=True,
    )


def _fields(seen: Look, found: Guess, languages: Mapping[str, str]) -> Sections:
    """Returns the column of the output, and its language."""
    assert found.target is not None
    spoken = {"evaluation": {"language": languages[found.target]}} if found.target in languages else {}
    return {"corpus": {"target": found.target}, **spoken}
