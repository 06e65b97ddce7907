"""The peer of classification: TF-IDF of words and pairs of words, and logistic regression, by scikit-learn.

Prints `{"accuracy": ..., "seconds": ...}`. The inverse strength of regularisation is chosen by five-fold
cross-validation on the training file, as one would.
"""

from __future__ import annotations

import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline


def columns(file: str, text: str, label: str, most: int | None) -> tuple[list[str], list[str]]:
    """Returns the texts and the labels of a TSV file with a header and without quoting."""
    with open(file, encoding="utf-8") as stream:
        header, *lines = (line.rstrip("\n").split("\t") for line in stream)
    rows = [dict(zip(header, line, strict=True)) for line in lines][:most]
    return [row[text] for row in rows], [row[label] for row in rows]


def main() -> None:
    """Trains on one file and measures on the other."""
    train, valid, text, label, *most = sys.argv[1:]
    started = time.monotonic()
    texts, labels = columns(train, text, label, int(most[0]) if most else None)
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.3, 1, 3, 10, 30]}, cv=5)
    search.fit(texts, labels)
    accuracy = search.score(*columns(valid, text, label, None))
    print(json.dumps({"accuracy": accuracy, "seconds": time.monotonic() - started, **search.best_params_}))


if __name__ == "__main__":
    main()
