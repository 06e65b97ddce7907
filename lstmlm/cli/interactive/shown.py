"""Outputs as lines of text: the output, then what else the model says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lstmlm.api.model import Model
from lstmlm.api.outputs import Answered, Candidate, Classified, Generated, Transcribed
from lstmlm.cli.interactive.heat_map import heat_map

MOST_LABELS = 5


def plain(output: Any) -> str:
    """Returns the output as one line, for a program that reads it."""
    if isinstance(output, Classified):
        if output.spans:
            return " ".join(f"{span.text}/{span.label}" for span in output.spans)
        return output.label if output.label is not None else ",".join(output.labels)
    text = output.answer if isinstance(output, Answered) else output.text
    return str(text).replace("\n", "\\n")


def lines(output: Any, model: Model, width: int, *, attention: bool) -> Iterator[str]:
    """Yields the output and its details.

    Args:
        output: What the model made of an input.
        model: The model.
        width: Cells of a line.
        attention: Whether to show what the model attends to, where it does.
    """
    yield plain(output)
    if isinstance(output, Generated):
        yield from _generated(output)
        if attention and output.text and model.can_attend:
            (found,) = model.attention([(output.source, output.text)])
            yield ""
            yield from heat_map(found.source, found.text, found.weights, width)
    elif isinstance(output, Classified):
        yield from _classified(output)
    elif isinstance(output, Answered):
        yield f"  {output.confidence:.3f}  characters {output.start} to {output.end}: {output.evidence}"
    elif isinstance(output, Transcribed):
        yield from (f"  {word.start:7.2f} {word.end:7.2f}  {word.word}" for word in output.words)
        yield from _candidates(output.n_best)


def _generated(output: Generated) -> Iterator[str]:
    if output.cut:
        yield f"  the last {output.cut} tokens of the input were not read"
    if output.log_probability is not None:
        yield f"  log-probability {output.log_probability:.3f}"
    yield from _candidates(output.n_best)


def _candidates(found: Sequence[Candidate]) -> Iterator[str]:
    for number, one in enumerate(found, 1):
        score = "" if one.score is None else f"{one.score:9.3f}  "
        yield f"  {number}. {score}{one.text}"


def _classified(output: Classified) -> Iterator[str]:
    ranked = sorted(output.probabilities.items(), key=lambda pair: -pair[1])
    for label, probability in ranked[:MOST_LABELS]:
        yield f"  {probability:.3f}  {label}"
    for span in output.spans:
        yield f"  {span.confidence:.3f}  {span.label}: {span.text}"
