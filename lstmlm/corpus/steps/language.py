"""Language identification, and the filter that keeps the languages a recipe lists.

The model is that of langid.py (Lui and Baldwin 2012) as py3langid ships it: naive Bayes over byte n-grams, for 97
languages. Here it is applied to a whole block at once: the automaton that finds n-grams advances all texts together.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.forms import nfc
from lstmlm.corpus.steps.further import FurtherTexts, no_further_texts, with_owners
from lstmlm.corpus.steps.step import Filter
from lstmlm.errors import UserError
from lstmlm.records.record import Record

UNDETERMINED = "und"  # ISO 639 has this code for text without a language, such as numbers
SAMPLE = 1000  # characters that a language is identified by; of a longer text: the beginning, the middle and the end
# Nats by which another language must be more likely. About where, on the Tatoeba train split, the English and French
# sentences lost and the ones of the other language let in are fewest together.
MARGIN = 3.0

_PIECES = 3
_BATCH_BYTES = 1 << 16  # bytes scored together; bounds the memory at about 25 MB

Scores = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Detector:
    """The model, laid out for many texts at once.

    Attributes:
        languages: ISO 639-1 codes.
        prior: Log-probability of each language up to a constant, shape (languages,).
        moves: Next state of the automaton, at `state * 256 + byte`.
        scores: Sum of the log-probabilities of the n-grams that end in a state, shape (states, languages).
        speaks: Whether an n-gram ends in a state, shape (states,).
    """

    languages: tuple[str, ...]
    prior: Scores
    moves: npt.NDArray[np.int32]
    scores: Scores
    speaks: npt.NDArray[np.bool_]

    def detect(self, texts: Sequence[str], expected: Collection[str] = ()) -> list[str]:
        """Returns the language of each text.

        Args:
            texts: Texts; of a long one a sample is used (see `SAMPLE`).
            expected: Languages that the texts are supposed to be in. One of them is the answer unless another one is
                more likely by a factor of `exp(MARGIN)`: short sentences are often as likely in a related language.

        Returns:
            ISO 639-1 codes, or `UNDETERMINED` for texts without any n-gram of the model.
        """
        found, known = self._log_probabilities([_sample(text) for text in texts])
        favoured = found.copy()
        favoured[:, [language in expected for language in self.languages]] += MARGIN
        best = np.argmax(favoured, axis=1).tolist()
        return [self.languages[index] if has else UNDETERMINED for index, has in zip(best, known.tolist(), strict=True)]

    def _log_probabilities(self, samples: Sequence[bytes]) -> tuple[Scores, npt.NDArray[np.bool_]]:
        """Returns a log-probability up to a constant, shape (texts, languages), and whether anything is known."""
        found = np.tile(self.prior, (len(samples), 1))
        known = np.zeros(len(samples), np.bool_)
        order = sorted(range(len(samples)), key=lambda index: -len(samples[index]))
        start = 0
        while start < len(order):
            size = max(1, _BATCH_BYTES // max(1, len(samples[order[start]])))
            batch = order[start : start + size]
            owners, states = self._run([samples[index] for index in batch])
            if len(owners):
                begins = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
                rows = np.array(batch)[owners[begins]]
                found[rows] += np.add.reduceat(self.scores[states], begins, axis=0)
                known[rows] = True
            start += size
        return found, known

    def _run(self, samples: Sequence[bytes]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Returns the states that end an n-gram and the sample each is of; samples are sorted from long to short."""
        lengths = np.array([len(sample) for sample in samples])
        width = int(lengths[0])
        padded = b"".join(sample.ljust(width) for sample in samples)
        columns = np.frombuffer(padded, np.uint8).reshape(len(samples), width).T.astype(np.int32)
        active = np.searchsorted(-lengths, -np.arange(width), side="left")
        states = np.zeros((width + 1, len(samples)), np.int32)
        for place, count in enumerate(active.tolist()):
            np.take(self.moves, (states[place, :count] << 8) + columns[place, :count], out=states[place + 1, :count])
        visited = states[1:].T
        spoken = self.speaks[visited] & (np.arange(width) < lengths[:, None])
        return np.nonzero(spoken)[0], visited[spoken]


@functools.cache
def detector() -> Detector:
    """Returns the detector; the first call takes about a second."""
    model = LanguageIdentifier.from_pickled_model(MODEL_FILE)
    moves = np.array(model.tk_nextmove, np.int32)
    # The mean over languages counts for all of them alike; without it the sums stay small, and so does rounding.
    table = model.nb_ptc - model.nb_ptc.mean(axis=1, keepdims=True)
    scores = np.zeros((len(moves) // 256, len(model.nb_classes)), np.float32)
    for state, features in model.tk_output.items():
        if features:
            scores[state] = table[list(features)].sum(axis=0)
    speaks = np.zeros(len(scores), np.bool_)
    speaks[[state for state, features in model.tk_output.items() if features]] = True
    return Detector(tuple(model.nb_classes), model.nb_pc.astype(np.float32), moves, scores, speaks)


def _sample(text: str) -> bytes:
    if len(text) > SAMPLE:
        size = SAMPLE // _PIECES
        middle = (len(text) - size) // 2
        text = " ".join((text[:size], text[middle : middle + size], text[-size:]))
    return nfc(text).encode("utf-8", "replace")  # the model has seen no separate letters of Hangul syllables


class KeepLanguages(Filter):
    """Keeps records in the languages listed; reasons are `language` (of the source) and `target_language`.

    Records of undetermined language stay. The histograms `language` and `target_language` count what was found.
    """

    only_train = True

    def __init__(
        self, source: Sequence[str] = (), targets: Sequence[str] = (), further: FurtherTexts = no_further_texts
    ) -> None:
        """Checks the codes.

        Args:
            source: ISO 639-1 codes kept of the source; empty: all, and none is looked for.
            targets: The same for targets.
            further: Says which further texts a record has; they are in the languages of sources.

        Raises:
            UserError: A code that the model does not know.
        """
        self._source, self._targets, self._further = frozenset(source), frozenset(targets), further
        unknown = sorted((self._source | self._targets) - set(detector().languages))
        if unknown:
            raise UserError(
                f"no language has the code {unknown[0]!r}",
                where="corpus.languages" if unknown[0] in self._source else "corpus.target_languages",
                hint=f"Known are: {' '.join(detector().languages)}",
            )

    def setup(self) -> None:
        """See `Step`."""
        detector()

    def reasons(self, records: Sequence[Record]) -> Sequence[str | None]:
        """See `Filter`."""
        return self._identify(records)[0]

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        reasons, sources, targets = self._identify(block.records)
        return block.without(reasons).tallied("language", sources).tallied("target_language", targets)

    def _identify(
        self, records: Sequence[Record]
    ) -> tuple[list[str | None], collections.Counter[str], collections.Counter[str]]:
        """Returns the reasons, and the languages found of sources and of targets."""
        reasons: list[str | None] = [None] * len(records)
        of_sources: collections.Counter[str] = collections.Counter()
        of_targets: collections.Counter[str] = collections.Counter()
        if self._targets:
            owners = [index for index, record in enumerate(records) for _ in record.targets]
            found = detector().detect([text for record in records for text in record.targets], self._targets)
            of_targets.update(found)
            for index, language in zip(owners, found, strict=True):
                if language not in self._targets and language != UNDETERMINED:
                    reasons[index] = "target_language"
        if self._source:
            texts, owners = with_owners(records, self._further)
            found = detector().detect([*(record.source for record in records), *texts], self._source)
            of_sources.update(found)
            for index, language in zip([*range(len(records)), *owners], found, strict=True):
                if language not in self._source and language != UNDETERMINED:
                    reasons[index] = "language"
        return reasons, of_sources, of_targets
