"""Publishes a corpus of the records of a run and of what a model wrote."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.publish.folder import Draft, Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.publish.lineage import CORPUS, LINEAGE
from lstmlm.records.shards import records_in

VERSION = 1
"""Raise it with every change of what is written."""

ORIGINAL, SYNTHETIC, VALID = "train-original.jsonl", "train-synthetic.jsonl", "valid.jsonl"
"""Files of a corpus: train records as they were, those with a text by a model, and the records of the valid split."""

TRAIN = "train-*.jsonl"
"""What a recipe names to train on all of a corpus."""

TEXTS = "texts.jsonl"
"""File of the texts that a model is to read."""


def write_texts(records: Path, output: Path) -> Manifest:
    """Publishes the sources of the train split, for the batch job: a line with `id` and `text` each.

    Args:
        records: A records folder.
        output: The folder to publish; a no-op where it holds this result.
    """
    made_from = read_manifest(records, "records")
    stamp = fingerprint("texts", VERSION, made_from.fingerprint)
    if not is_finished(output, "texts", stamp):
        with publish(output, "texts", stamp) as draft:
            rows = ({"id": record.id, "text": record.source} for record in records_in(records, "train"))
            draft.facts["texts"] = _write(draft.path / TEXTS, rows)
    return read_manifest(output, "texts")


def write_corpus(
    records: Path, predictions: Path, output: Path, lineage: Mapping[str, str], *, target_side: bool
) -> Manifest:
    """Publishes a corpus with the columns `id`, `source` and `target`.

    Outputs without a letter, and of the batch job its dead letters, are left out and counted.

    Args:
        records: The records folder of the run; its valid split is the new corpus's.
        predictions: Output of the batch job.
        output: The folder to publish; a no-op where it holds this result.
        lineage: What the model and its texts are, by their part -> fingerprint.
        target_side: False: outputs are the targets of what was read, which takes the place of the train split (a
            teacher's). True: they are sources for what was read, in addition to the train split.
    """
    made_from = read_manifest(records, "records"), read_manifest(predictions, "predictions")
    stamp = fingerprint(CORPUS, VERSION, *(one.fingerprint for one in made_from), dict(lineage), target_side)
    if not is_finished(output, CORPUS, stamp):
        with publish(output, CORPUS, stamp) as draft:
            _write_parts(draft, records, predictions, target_side=target_side)
            draft.facts["dead_letters"] = made_from[1].facts["dead_letters"]
            draft.facts[LINEAGE] = dict(lineage)
    return read_manifest(output, CORPUS)


def _write_parts(draft: Draft, records: Path, predictions: Path, *, target_side: bool) -> None:
    counts: collections.Counter[str] = collections.Counter()
    written = _pairs(predictions, counts, target_side=target_side)
    draft.facts["synthetic"] = _write(draft.path / SYNTHETIC, written)
    if target_side:
        draft.facts["original"] = _write(draft.path / ORIGINAL, _rows(records, "train"))
    draft.facts["held_out"] = _write(draft.path / VALID, _rows(records, "valid"))
    draft.facts["empty_outputs"] = counts["empty_outputs"]


def _pairs(predictions: Path, counts: collections.Counter[str], *, target_side: bool) -> Iterator[dict[str, Any]]:
    for file in sorted(predictions.glob("predictions-*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if not row["output"].strip():
                    counts["empty_outputs"] += 1
                elif target_side:
                    yield {"id": f"synthetic-{row['id']}", "source": row["output"], "target": row["source"]}
                else:
                    yield {"id": str(row["id"]), "source": row["source"], "target": row["output"]}


def _rows(records: Path, split: str) -> Iterator[dict[str, Any]]:
    for record in records_in(records, split):
        targets: Any = record.targets[0] if len(record.targets) == 1 else list(record.targets)
        yield {"id": record.id, "source": record.source, "target": targets}


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    """Writes rows as JSON lines; returns their number."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count
