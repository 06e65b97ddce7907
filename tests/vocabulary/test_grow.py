"""A vocabulary that grows keeps its ids, cuts new text shorter, and knows what its new pieces decompose into."""

from __future__ import annotations

import collections
import itertools
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest
import sentencepiece

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.growth import Growth, growth_from, read_growth
from lstmlm.vocabulary.grow import grow
from lstmlm.vocabulary.merges import Merger
from lstmlm.vocabulary.stage import train_tokenizer
from lstmlm.vocabulary.train import train_model, training_lines

OLD = [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]
NEW = [
    "dem Straßenbahnfahrer fällt 日本 ein",
    "die Straßenbahn fällt aus",
    "日本 日本 1997 1997",
    "Straßen und Bahnen",
] * 3


def model_of(algorithm: str, vocabulary: int = 400) -> bytes:
    settings = TokenizerSection.model_validate({"algorithm": algorithm, "vocabulary": vocabulary})
    return train_model((line for text in OLD for line in training_lines(text)), settings)


def loaded(model: bytes) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def grown(model: bytes, algorithm: str, vocabulary: int) -> tuple[bytes, list[list[int]]]:
    settings = TokenizerSection.model_validate({"algorithm": algorithm, "vocabulary": vocabulary})
    return grow(model, (line for text in NEW for line in training_lines(text)), settings)


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_old_ids_stay_and_new_text_is_cut_into_fewer_pieces(algorithm: str) -> None:
    old = model_of(algorithm)
    new, parts = grown(old, algorithm, 420)
    before, after = loaded(old), loaded(new)
    assert [after.id_to_piece(n) for n in range(400)] == [before.id_to_piece(n) for n in range(400)]
    assert [after.get_score(n) for n in range(400)] == [before.get_score(n) for n in range(400)]
    assert after.get_piece_size() == 420
    assert len(parts) == 20
    short, long = (sum(len(one.encode(text)) for text in NEW) for one in (after, before))
    assert short < 0.6 * long
    assert all(after.decode(after.encode(text)) == text for text in NEW)
    used = {number for text in NEW for number in after.encode(text)}
    assert len(used & set(range(400, 420))) > 5


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_parts_write_what_the_new_piece_writes(algorithm: str) -> None:
    old = model_of(algorithm)
    new, parts = grown(old, algorithm, 420)
    before, after = loaded(old), loaded(new)
    for number, ids in enumerate(parts, 400):
        assert max(ids) < 400
        # Behind a letter, so that the space before a word is written.
        letter = before.piece_to_id("a")
        assert before.decode([letter, *ids]) == after.decode([letter, number])


def test_characters_that_were_spelled_in_bytes_come_first() -> None:
    new, parts = grown(model_of("unigram"), "unigram", 404)
    after = loaded(new)
    assert {after.id_to_piece(n) for n in range(400, 404)} == {"日", "本", "ß", "9"}
    assert {len(ids) for ids in parts} == {1, 2, 3}  # bytes


def test_new_words_of_a_vocabulary_of_words() -> None:
    old = model_of("word", 500)
    size = loaded(old).get_piece_size()
    new, parts = grown(old, "word", size + 3)
    after = loaded(new)
    counts = collections.Counter(word for text in NEW for word in text.split())
    unknown = [word for word in counts if loaded(old).piece_to_id(f"▁{word}") == 1]
    first = sorted(unknown, key=lambda word: (-counts[word], word))[:3]
    assert [after.id_to_piece(size + n) for n in range(3)] == [f"▁{word}" for word in first]
    assert parts == [loaded(old).encode(word) for word in first]


def test_merges_are_those_of_byte_pair_encoding() -> None:
    """The example of Sennrich et al. (2016): low, lowest, newer, wider."""
    words = {"low": 5, "lowest": 2, "newer": 6, "wider": 3}
    spelled = {tuple((letter, (ord(letter),)) for letter in [*word, "."]): count for word, count in words.items()}
    merger = Merger(spelled, {*"lowestnewerwider"})
    found = [(piece.text, piece.count) for piece in merger.merges()]
    assert found[:3] == [("er", 9), ("lo", 7), ("low", 7)]
    assert ("newer", 6) in found
    assert all("." not in text for text, _ in found)  # which is no letter


def test_the_most_frequent_pair_is_merged_as_a_slow_count_finds_it() -> None:
    draw = np.random.default_rng(0)
    words = collections.Counter("".join(draw.choice([*"abc"], draw.integers(1, 9))) for _ in range(300))
    merger = Merger({tuple((letter, (0,)) for letter in word): count for word, count in words.items()}, {*"abc"})
    found = [(piece.text, piece.count) for piece in merger.merges()][:30]
    cut, expected = {word: [*word] for word in words}, []
    while len(expected) < 30:
        pairs: collections.Counter[tuple[str, str]] = collections.Counter()
        for word, symbols in cut.items():
            for pair in itertools.pairwise(symbols):
                pairs[pair] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if "".join(best) not in {text for text, _ in expected}:
            expected.append(("".join(best), pairs[best]))
        for word, symbols in cut.items():
            n, joined = 0, []
            while n < len(symbols):
                both = tuple(symbols[n : n + 2]) == best
                joined.append("".join(best) if both else symbols[n])
                n += 1 + both
            cut[word] = joined
    assert found == expected


@pytest.mark.parametrize(
    ("algorithm", "vocabulary", "match"),
    [
        (
            "bpe",
            420,
            "tokenizer.algorithm: the vocabulary that is to grow is of algorithm unigram, and the recipe has bpe",
        ),
        (
            "unigram",
            400,
            "tokenizer.vocabulary: .* has 400 pieces already, and 400 are asked for. Set it to more than 400",
        ),
        (
            "unigram",
            900,
            r"tokenizer.vocabulary: the text yields only \d+ new pieces, and 500 are asked for. Set it to 4",
        ),
    ],
)
def test_what_cannot_grow_is_refused_in_one_line(algorithm: str, vocabulary: int, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        grown(model_of("unigram"), algorithm, vocabulary)
    assert "\n" not in str(caught.value)


def test_rows_of_new_pieces_are_the_mean_of_those_of_their_parts() -> None:
    growth = Growth({"a": 3, "b": 4}, [[0, 2], [1, 3], [4]])
    table = np.array([[1.0, 0.0], [2.0, 2.0], [3.0, 4.0]], np.float32)
    expected = [[1, 0], [2, 2], [3, 4], [2, 2], [2, 2], [2, 2]]
    np.testing.assert_array_equal(growth.rows(table), expected)
    newer = np.array([*table, [8, 8]], np.float32)  # of the vocabulary b
    np.testing.assert_array_equal(growth.rows(newer), [*newer, [5, 5], [5, 5]])


@pytest.mark.slow
def test_the_stage_grows_a_vocabulary_twice(tmp_path: Path) -> None:
    """A model of the first vocabulary fits the third."""
    (tmp_path / "a.txt").write_text("\n".join(OLD[:300] + NEW * 5) + "\n")

    def run(**tokenizer: Any) -> Recipe:
        corpus = {"root": tmp_path, "train": "a.txt", "valid_fraction": 0.1, "shards": 2}
        return Recipe.model_validate({"name": "test", "task": "generate", "corpus": corpus, "tokenizer": tokenizer})

    ingest(run(), tmp_path / "records", Silent())
    (tmp_path / "0").mkdir()
    (tmp_path / "0/tokenizer.model").write_bytes(model_of("unigram"))
    first = run(vocabulary=410, grows=tmp_path / "0/tokenizer.model")
    made = train_tokenizer(first, tmp_path / "records", tmp_path / "1", Silent())
    assert made.facts["grown_from"]["vocabulary"] == 400
    again = train_tokenizer(first, tmp_path / "records", tmp_path / "same", Silent())
    assert again == made
    train_tokenizer(run(vocabulary=420, grows=tmp_path / "1"), tmp_path / "records", tmp_path / "2", Silent())
    growth = read_growth(tmp_path / "2/tokenizer.model")
    assert growth is not None
    assert list(growth.older.values()) == [400, 410]
    assert len(growth.parts) == 20
    words = Tokenizer(tmp_path / "2/tokenizer.model")
    assert words.size == 420
    facts = {"size": 410, "fingerprint": made.files["tokenizer.model"]["sha256"]}
    assert growth_from(tmp_path / "2/tokenizer.model", facts) == growth
    assert growth_from(tmp_path / "2/tokenizer.model", {**facts, "fingerprint": "other"}) is None


def test_a_missing_or_damaged_older_vocabulary_is_refused(tmp_path: Path) -> None:
    def run(grows: Path) -> Recipe:
        tokenizer = {"vocabulary": 500, "grows": grows}
        return Recipe.model_validate(
            {"name": "t", "task": "generate", "corpus": {"train": "a.txt"}, "tokenizer": tokenizer}
        )

    from lstmlm.vocabulary.outside import outside_fingerprint

    with pytest.raises(UserError, match=r"tokenizer\.grows: .*absent is not there"):
        outside_fingerprint(run(tmp_path / "absent"))
    (tmp_path / "tokenizer.model").write_bytes(model_of("unigram"))
    (tmp_path / "grown.json").write_text('{"older": [{"size": 400, "fingerprint": "a"}], "parts": [[400]]}')
    with pytest.raises(UserError, match=r"grown\.json: damaged"):
        outside_fingerprint(run(tmp_path))
