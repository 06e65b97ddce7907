"""BLEU and chrF with several references."""

import pytest

from lstmlm.evaluation.translation import translation_metrics

OUTPUTS = ["the cat sat on the mat today", "there is a small green house"]


def test_any_reference_may_match_and_their_number_may_differ() -> None:
    references = [["a dog", OUTPUTS[0]], [OUTPUTS[1]]]
    metrics = translation_metrics(OUTPUTS, references)
    assert metrics["bleu"] == pytest.approx(100)
    assert metrics["chrf"] == pytest.approx(100)
    assert "nrefs:var" in str(metrics["bleu_signature"])
    assert "nrefs:var" in str(metrics["chrf_signature"])


def test_same_as_sacrebleu_with_one_reference() -> None:
    import sacrebleu

    references = ["the cat sat on a mat today", "there is one small house"]
    expected = sacrebleu.corpus_bleu(OUTPUTS, [references]).score
    assert translation_metrics(OUTPUTS, [[text] for text in references])["bleu"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "other", "language", "tokenizer"),
    [
        ("今天天气很好，我们去公园。", "今天天气很好，我去公园。", None, "zh"),
        ("今天天气很好，我们去公园。", "今天天气很好，我去公园。", "zh", "zh"),
        ("กินข้าวที่บ้าน", "กินข้าวบ้าน", None, "char"),
        ("the cat sat on the mat", "the cat sat on a mat", None, "13a"),
    ],
)
def test_the_tokenizer_is_that_of_the_language(text: str, other: str, language: str | None, tokenizer: str) -> None:
    import sacrebleu

    metrics = translation_metrics([text], [[other]], language)
    assert metrics["bleu"] == sacrebleu.corpus_bleu([text], [[other]], tokenize=tokenizer).score
    assert f"|tok:{tokenizer}|" in str(metrics["bleu_signature"])
    assert 0 < float(metrics["bleu"]) < 100


@pytest.mark.parametrize("references", [[["a"]], [["a"], []]])
def test_every_output_needs_a_reference(references: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="references"):
        translation_metrics(OUTPUTS, references)
