"""Measures what a vocabulary shortlist would gain in translation, on one core (why: docs/decisions/0007).

English to French on Tatoeba, 8,000 pieces, the network of the recipe `translate_en_fr` with random weights. Prints the
cost of a step by the number of output columns; how many candidates there are, per record and together, and how much of
the reference translations they allow; and sentences per second of processor time, without and with a shortlist.
Candidates come from every other line of the train split, sources and references from the lines between.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import infer_work  # noqa: E402
from benchmarks.shortlist_backend import ShortlistBackend  # noqa: E402
from lstmlm.decoding.engine import Engine  # noqa: E402
from lstmlm.decoding.onnx import files as onnx_files  # noqa: E402
from lstmlm.decoding.onnx.backend import OnnxBackend  # noqa: E402
from lstmlm.decoding.search.request import SearchOptions, SearchRequest  # noqa: E402

Ints = npt.NDArray[np.int64]
Texts = Sequence[Sequence[int]]

VOCABULARY, UNKNOWN, END = infer_work.VOCABULARY, 1, infer_work.END
FREQUENT = 300
LIKELY = (10, 20, 50, 100)
ROWS = 64
METHODS = {
    "greedy": SearchOptions(max_tokens=64),
    "beam": SearchOptions("beam", max_tokens=64, beam=5),
}


def lexicon(sources: Texts, targets: Texts, rounds: int = 5) -> tuple[Ints, Ints]:
    """Returns source tokens and target tokens, each source's likeliest first: IBM model 1 (Brown et al. 1993)."""
    words = [np.unique(source) for source in sources]
    left = np.concatenate([np.tile(s, len(t)) for s, t in zip(words, targets, strict=True)])
    right = np.concatenate([np.repeat(t, len(s)) for s, t in zip(words, targets, strict=True)])
    place = np.repeat(np.arange(sum(map(len, targets))), np.repeat(list(map(len, words)), list(map(len, targets))))
    pairs, pair = np.unique(left.astype(np.int64) * VOCABULARY + right, return_inverse=True)
    given = pairs // VOCABULARY
    probability = np.ones(len(pairs))
    for _ in range(rounds):
        share = probability[pair]
        share /= np.bincount(place, share)[place]
        counts = np.bincount(pair, share)
        probability = counts / np.bincount(given, counts)[given]
    order = np.lexsort((-probability, given))
    return given[order], pairs[order] % VOCABULARY


def likely_of(table: tuple[Ints, Ints], count: int) -> Ints:
    """Returns the `count` likeliest target tokens of every source token, int64 [vocabulary, count]; *end* fills up."""
    given, target = table
    rank = np.arange(len(given)) - np.searchsorted(given, given)
    found = np.full([VOCABULARY, count], END)
    found[given[rank < count], rank[rank < count]] = target[rank < count]
    return found


def candidates(sources: Texts, frequent: Ints, likely: Ints) -> list[set[int]]:
    """Returns the candidates of every source."""
    return [{*frequent.tolist(), *likely[source].ravel().tolist()} for source in map(list, sources)]


def print_candidates(allowed: Sequence[set[int]], sources: Texts, references: Texts) -> None:
    """Prints how many candidates there are, and how much of the references they allow."""
    order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
    parts = [order[start : start + 2 * ROWS] for start in range(0, len(order), 2 * ROWS)]
    union = statistics.mean(len(set().union(*(allowed[n] for n in part))) for part in parts)
    everything = len(set().union(*allowed))
    inside = [[token in own for token in text] for own, text in zip(allowed, references, strict=True)]
    tokens = sum(map(sum, inside)) / sum(map(len, inside))
    whole = statistics.mean(map(all, inside))
    print(
        f"candidates per record {statistics.mean(map(len, allowed)):.0f}, of {2 * ROWS} records {union:.0f}, of all "
        f"{len(sources)} {everything}; reference tokens allowed {tokens:.1%}, whole references {whole:.1%}",
        flush=True,
    )


def take_turns(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Returns the median seconds of processor time of each; the first round is to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, do in work.items():
            started = time.process_time()
            do()
            if turn:
                seconds[name].append(time.process_time() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def print_steps(weights: dict[str, infer_work.Array], int8: bool) -> None:
    """Prints what a greedy step costs for vocabularies of several sizes, and so what the output layer costs."""
    rng, work = np.random.default_rng(0), {}
    for columns in (16, 1024, 2048, 4096, VOCABULARY):
        cut = weights | {name: weights[name][:columns] for name in ("embedding/table", "embedding/bias")}
        backend = OnnxBackend(*onnx_files.graphs(cut, int8=int8))
        tokens = rng.integers(4, columns, ROWS)
        rows = backend.encode(rng.integers(4, columns, [ROWS, 12]), np.full(ROWS, 12))
        work[str(columns)] = lambda b=backend, r=rows, t=tokens: [b.most_likely(r, t) for _ in range(50)]
    found = take_turns(work, 5)
    print("ms a step by output columns:", {n: round(s / 50 * 1e3, 2) for n, s in found.items()}, flush=True)


def print_speeds(weights: dict[str, infer_work.Array], int8: bool, requests: list[SearchRequest], made: dict) -> None:
    """Prints sentences per second, with all tokens and with each shortlist."""
    graphs = onnx_files.graphs(weights, int8=int8)
    backends = {"all tokens": OnnxBackend(*graphs)}
    backends |= {f"{count} likely": ShortlistBackend(*graphs, *lists) for count, lists in made.items()}
    for method, options in METHODS.items():
        some = requests if method == "greedy" else requests[::4]
        work = {name: functools.partial(decode, backend, options, some) for name, backend in backends.items()}
        speeds = {name: len(some) / seconds for name, seconds in take_turns(work, 5).items()}
        full = speeds["all tokens"]
        print(f"{method}: sentences/s", {n: f"{s:.0f} ({s / full - 1:+.0%})" for n, s in speeds.items()}, flush=True)


def decode(backend: OnnxBackend, options: SearchOptions, requests: list[SearchRequest]) -> list[tuple[int, ...]]:
    """Returns the best output of every request."""
    return [best.tokens for best, *_ in Engine(backend, options, ROWS).decode(requests)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", default=os.environ.get("LSTMLM_CORPORA", ROOT.parent / "shared/corpora"))
    parser.add_argument("--count", type=int, default=1024, help="Sentences that are decoded.")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {arguments.core})
    lines = (Path(arguments.corpora) / "tatoeba_en_fr" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    tokenizer = infer_work.tatoeba_pieces(lines)
    seen = [[tokenizer.encode(text) for text in line.split("\t")[:2]] for line in lines[::2]]
    table = lexicon(*zip(*seen, strict=True))
    counts = np.bincount(np.concatenate([target for _, target in seen]), minlength=VOCABULARY)
    frequent = np.union1d(np.argsort(-counts, kind="stable")[:FREQUENT], [UNKNOWN, END])
    fresh = dict(line.split("\t")[:2] for line in lines[1::2])
    kept = list(fresh)[:: max(1, len(fresh) // arguments.count)][: arguments.count]
    sources = [[*tokenizer.encode(text), END] for text in kept]
    references = [[*tokenizer.encode(fresh[text]), END] for text in kept]
    made = {count: (frequent, likely_of(table, count)) for count in LIKELY}
    for count, lists in made.items():
        print(f"{FREQUENT} frequent and {count} likely:", end=" ")
        print_candidates(candidates(sources, *lists), sources, references)
    weights = infer_work.random_weights()
    requests = [SearchRequest(s, limit=len(r)) for s, r in zip(sources, references, strict=True)]
    for int8 in (True, False):
        print("int8" if int8 else "float32")
        print_steps(weights, int8)
        print_speeds(weights, int8, requests, made)


if __name__ == "__main__":
    main()
