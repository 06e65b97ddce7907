"""Classification: recipes compared with TF-IDF and logistic regression, int8, calibration, the article's network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from documents import CORPORA
from environments import SKLEARN, peer_python
from table import Row, row
from task_runs import RECIPES, WORK, run_recipe

ROOT = Path(__file__).resolve().parents[2]
BARS = {"sentence_polarity": 80.0, "trec": 90.0}
MARGIN = {"sentence_polarity": 1.0}
"""By how many points the recipe should be better than the peer."""
QUICK = ("training.steps=40", "training.evaluate_every=40")


def peer(corpus: str) -> dict[str, Any]:
    """Returns what TF-IDF with logistic regression reaches on the same files."""
    files = [str(CORPORA / corpus / f"{split}.tsv") for split in ("train", "valid")]
    command = [str(peer_python("sklearn", SKLEARN)), "benchmarks/peers/sklearn_text.py", *files, "text", "label"]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def of_corpus(corpus: str, quick: bool) -> Iterator[Row]:
    """Accuracy on valid, compared with the peer; how far int8 is from float32; how well confidence fits."""
    changes = QUICK if quick else ()
    theirs = 100 * peer(corpus)["accuracy"]
    recipe, folder = RECIPES / f"{corpus}.yaml", WORK / corpus
    found = run_recipe(recipe, folder, changes)
    metrics = found.metrics
    ours, bar = 100 * metrics["accuracy"], max(BARS[corpus], theirs + MARGIN.get(corpus, -100.0))
    name = f"{corpus}, accuracy on valid, TF-IDF and logistic regression (bar: {BARS[corpus]:g}"
    name += f", and the peer's + {MARGIN[corpus]:g})" if corpus in MARGIN else ")"
    yield row(name, ours, peer=theirs, bar=None if quick else bar) | {"ratio": round(ours / theirs, 3)}
    yield row(f"{corpus}, macro F1 on valid", 100 * metrics["macro_f1"])
    yield row(f"{corpus}, calibration error on valid", metrics["calibration_error"], digits=4)
    yield row(f"{corpus}, minutes of training", found.seconds["train"] / 60, bar=45, at_most=True)
    int8 = run_recipe(recipe, folder / "int8", [*changes, "decoding.precision=int8"], ["infer"], found)
    same = [a["label"] == b["label"] for a, b in zip(found.predictions, int8.predictions, strict=True)]
    yield row(f"{corpus}, predictions that int8 and float32 share", sum(same) / len(same), bar=0.99, digits=4)


def article() -> Iterator[Row]:
    """The network of the article compared with `keras.Sequential` with the same weights."""
    command = [str(ROOT / ".venv" / "bin" / "python"), "benchmarks/peers/keras_article.py"]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    yield row(
        "article, parameters, Keras's",
        found["ours"],
        peer=found["keras"],
        bar=1.0,
        ratio=found["ours"] / found["keras"],
    )
    yield row(
        "article, largest difference of outputs to Keras's", found["difference"], bar=1e-5, at_most=True, digits=9
    )


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows."""
    for corpus in BARS:
        yield from of_corpus(corpus, quick)
    yield from article()
