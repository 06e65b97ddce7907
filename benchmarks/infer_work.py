"""The work that `benchmarks/infer.py` gives to both sides: weights, inputs and how long each output is.

One file for all of it, without pickles, because the peer runs in an environment of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BEGIN, END = 2, 3
VOCABULARY, EMBEDDING, UNITS, ENCODER_UNITS = 8000, 256, 512, 256

Array = npt.NDArray[np.float32]


def random_weights(seed: int = 0) -> dict[str, Array]:
    """Weights of a pair model that never ends a text: how long an output is, the work decides."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Array:
        return (rng.uniform(-1, 1, [rows, columns]) * (3 / rows) ** 0.5).astype(np.float32)

    table = (rng.normal(size=[VOCABULARY, EMBEDDING]) * EMBEDDING**-0.5).astype(np.float32)
    weights = {"embedding/table": table, "attention/score": matrix(2 * ENCODER_UNITS, UNITS)}
    layers = [(f"encoder_0_{way}", EMBEDDING, ENCODER_UNITS) for way in ("forward", "backward")]
    for name, width, units in [*layers, ("decoder_0", EMBEDDING, UNITS)]:
        weights |= {f"{name}/kernel": matrix(width, 4 * units), f"{name}/recurrent": matrix(units, 4 * units)}
        weights[f"{name}/bias"] = np.zeros(4 * units, np.float32)
    for name, width, units in [
        ("bridge", 2 * ENCODER_UNITS, 2 * UNITS),
        ("attention_combine", 2 * ENCODER_UNITS + UNITS, EMBEDDING),
    ]:
        weights |= {f"{name}/kernel": matrix(width, units), f"{name}/bias": np.zeros(units, np.float32)}
    weights["embedding/bias"] = np.zeros(VOCABULARY, np.float32)
    return endless(weights)


def endless(weights: dict[str, Array]) -> dict[str, Array]:
    """Rules *end* and padding out: both sides then decode exactly the lengths of the work."""
    bias = weights["embedding/bias"].copy()
    bias[[0, END]] = -1e9
    return weights | {"embedding/bias": bias}


def tatoeba(corpora: Path, count: int) -> tuple[list[list[int]], list[int]]:
    """Sources of the valid split as ids, and the lengths of their first translations, both in SentencePiece tokens."""
    lines = (corpora / "tatoeba_en_fr" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    tokenizer = tatoeba_pieces(lines)
    pairs: dict[str, str] = {}
    for line in (corpora / "tatoeba_en_fr" / "valid.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        source, target = line.split("\t")[:2]
        pairs.setdefault(source, target)
    step = max(1, len(pairs) // count)
    kept = list(pairs.items())[::step][:count]
    return [[*tokenizer.encode(s), END] for s, _ in kept], [len(tokenizer.encode(t)) + 1 for _, t in kept]


def tatoeba_pieces(lines: Sequence[str]) -> Any:
    """A SentencePiece processor, trained on every eighth of the pairs."""
    import io

    import sentencepiece

    model = io.BytesIO()
    texts = (text for line in lines[::8] for text in line.split("\t")[:2])
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts, model_writer=model, vocab_size=VOCABULARY, minloglevel=2,
        num_threads=1, pad_id=0, unk_id=1, bos_id=BEGIN, eos_id=END,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def long_tail(count: int, seed: int = 0) -> tuple[list[list[int]], list[int]]:
    """Lengths as of a mixed corpus: the median is 16 tokens, one in a hundred has more than 100; at most 200."""
    rng = np.random.default_rng(seed)
    sources = np.clip(np.exp(rng.normal(np.log(16), 0.8, count)), 2, 200).astype(int)
    targets = np.clip(sources * np.exp(rng.normal(0.05, 0.35, count)), 2, 200).astype(int)
    return [[*rng.integers(4, VOCABULARY, n - 1).tolist(), END] for n in sources], targets.tolist()


def save(
    path: Path, weights: dict[str, Array], mixes: dict[str, tuple[Sequence[Sequence[int]], Sequence[int]]]
) -> None:
    """Writes everything into one .npz."""
    arrays = {f"weight|{name.replace('/', '|')}": array for name, array in weights.items()}
    for name, (sources, limits) in mixes.items():
        arrays[f"mix|{name}"] = np.array(json.dumps([[list(map(int, s)) for s in sources], list(map(int, limits))]))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


def load(path: Path) -> tuple[dict[str, Array], dict[str, tuple[list[list[int]], list[int]]]]:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        weights = {n[7:].replace("|", "/"): arrays[n] for n in arrays.files if n.startswith("weight|")}
        mixes = {n[4:]: tuple(json.loads(str(arrays[n]))) for n in arrays.files if n.startswith("mix|")}
    return weights, mixes
