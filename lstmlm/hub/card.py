"""The model card, `README.md`: what the hub's readers and its search need to know of a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from lstmlm.hub.config import without_places
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.task import stored_task


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """What the card says that the export does not know.

    Attributes:
        licence: The hub's identifier of the licence.
        name: The model's name; None: that of its recipe.
        metrics: Metric -> value, of the evaluate stage.
    """

    licence: str
    name: str | None
    metrics: Mapping[str, Any]


def card(
    facts: Mapping[str, Any], decoding: DecodingSection, about: Card, parameters: int, graphs: Sequence[str]
) -> str:
    """Returns the text: metadata in YAML between two lines of dashes, then Markdown.

    Args:
        facts: The content of the export's `model.json`.
        decoding: How the export decodes.
        about: What is known from elsewhere.
        parameters: Numbers in the weights.
        graphs: Names of the ONNX files.
    """
    recipe = without_places(facts["recipe"])
    name = about.name or str(recipe["name"])
    metadata = yaml.safe_dump(_metadata(recipe, about, name), sort_keys=False, allow_unicode=True)
    parts = [f"---\n{metadata}---", f"# {name}", _summary(recipe, parameters), _use(recipe, graphs)]
    parts += [_data(recipe), _metrics(about.metrics), _limits(recipe, decoding)]
    parts.append(f"## Recipe\n\n```yaml\n{yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)}```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _metadata(recipe: Mapping[str, Any], about: Card, name: str) -> dict[str, Any]:
    corpus, hub_name = recipe["corpus"], stored_task(recipe["task"]).hub_name
    languages = [*corpus.get("languages", ()), *corpus.get("target_languages", ())]
    found: dict[str, Any] = {"license": about.licence}
    if languages:
        found["language"] = list(dict.fromkeys(languages))
    found |= {"library_name": "lstmlm", "tags": ["lstm", "lstmlm", "onnx", str(recipe["task"])]}
    if hub_name:
        found["pipeline_tag"] = hub_name
    metrics = [{"type": key, "value": value} for key, value in _numbers(about.metrics)]
    if metrics and hub_name:
        data = {"name": _held_out(corpus), "type": str(recipe["name"]), "split": "validation"}
        found["model-index"] = [
            {"name": name, "results": [{"task": {"type": hub_name}, "dataset": data, "metrics": metrics}]}
        ]
    return found


def _numbers(metrics: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yields the metrics that are numbers."""
    for name, value in metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, round(value, 4)


def _held_out(corpus: Mapping[str, Any]) -> str:
    if corpus.get("valid"):
        return str(corpus["valid"])
    return f"{corpus['train']}, {corpus['valid_fraction']:.0%} of it held out"


def _summary(recipe: Mapping[str, Any], parameters: int) -> str:
    network = recipe["model"]
    encoder = ""
    if stored_task(recipe["task"]).has_targets:
        encoder = f" behind a bidirectional encoder of {network['encoder_layers']} x {network['encoder_units']}"
    layers = f"{network['layers']} LSTM layer{'s' if network['layers'] > 1 else ''} of {network['units']} units"
    return f"A model for the task `{recipe['task']}`: {layers}{encoder}, {parameters:,} parameters, made with lstmlm."


def _use(recipe: Mapping[str, Any], graphs: Sequence[str]) -> str:
    lines = [
        "## Use\n",
        "```sh",
        "lstmlm hub load FOLDER -o export",
        "lstmlm infer RECIPE --export export --input texts.txt -o predictions",
        "```\n",
        "The vocabulary loads by itself, without any code of this folder:\n",
        "```python",
        "from transformers import AutoTokenizer",
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
        "```\n",
        "It puts nothing around a text.",
    ]
    if stored_task(recipe["task"]).has_targets:
        lines[-1] += " The model reads a source that ends with the id of `eos_token`, and writes from `bos_token` on."
    if graphs:
        lines.append(f"`onnx/` has what reads a text and what takes a step: {', '.join(graphs)}.")
    return "\n".join(lines)


def _data(recipe: Mapping[str, Any]) -> str:
    corpus = recipe["corpus"]
    fields = ("train", "valid", "source", "target", "languages", "target_languages", "quality", "normalise")
    rows = [f"- `{field}`: {corpus[field]}" for field in fields if corpus.get(field)]
    if kinds := (corpus.get("privacy") or {}).get("kinds"):
        rows.append(f"- personal data replaced: {', '.join(kinds)}")
    return "\n".join(["## Data\n", *rows, "\nThe licence of the data is that of its owners."])


def _metrics(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return "## Evaluation\n\nNot stated."
    rows = [f"| {name} | {value} |" for name, value in metrics.items()]
    return "\n".join(["## Evaluation\n", "On held-out records.\n", "| metric | value |", "|---|---|", *rows])


def _limits(recipe: Mapping[str, Any], decoding: DecodingSection) -> str:
    lines = ["## Limits\n", "- It knows what its data says, with the errors and prejudices of that, and nothing later."]
    lines.append("- What it writes can be wrong; it was not trained to refuse anything.")
    if stored_task(recipe["task"]).has_targets:
        lines.append(f"- A source is cut after {recipe['examples']['max_source']} tokens.")
    lines.append(f"- It writes at most {decoding.max_tokens} tokens.")
    return "\n".join(lines)
