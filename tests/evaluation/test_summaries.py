"""ROUGE and the lead baseline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.evaluation.metric import Outputs, measure_texts
from lstmlm.evaluation.summaries import lead_outputs, repeated_trigrams, rouge_metrics
from lstmlm.recipe.recipe import Recipe
from lstmlm.tasks.summarize import Summarize

TEXTS = [
    "今天天气很好，我们去公园。",
    "กินข้าวที่บ้าน",
    "ភាសាខ្មែរ",
    "ພາສາລາວ",
    "ဗမာစာ",
    "東京タワーは高い。",
    "한국어 문장",
    "Река течёт",
    "नमस्ते दुनिया",
    "μια ωραία μέρα",
    "اللغة العربية",
    "a river flows",
]


def test_best_reference_counts_for_each_metric() -> None:
    metrics = rouge_metrics(["storms hit the coast"], [["nothing alike", "a storm hits the coast"]])
    # Stemmed, 4 of 4 words are in the 5 of the reference: precision 1, recall 0.8.
    assert metrics["rouge_1"] == pytest.approx(100 * 2 * 0.8 / 1.8)
    assert metrics["rouge_l"] == pytest.approx(metrics["rouge_1"])
    assert metrics["rouge_2"] == pytest.approx(100 * 2 * 0.75 / 1.75)


def test_mean_over_records() -> None:
    assert rouge_metrics(["a b", "c d"], [["a b"], ["x y"]])["rouge_1"] == pytest.approx(50)


def test_lead_takes_the_mean_length_of_references() -> None:
    assert lead_outputs(["a b c d e", "f"], [["1 2 3", "1 2 3 4"], ["1 2"]]) == ["a b c", "f"]


def test_summary_metrics_hold_both() -> None:
    outputs = Outputs(["x"], [["first words"]], ["first words of a text"], seed=1)
    metrics = measure_texts(Summarize.metrics, outputs)
    assert metrics["rouge_1"] == 0
    assert metrics["lead_rouge_1"] == pytest.approx(100)
    scores = {f"{prefix}rouge_{kind}" for prefix in ("", "lead_") for kind in "12l"}
    ends = {f"{name}_{end}" for name in scores for end in ("low", "high")}
    assert set(metrics) == {*scores, *ends, "rouge_signature", "repeated_trigrams"}
    recipe = Recipe.model_validate({"name": "r", "task": "summarize", "corpus": {"train": "a.tsv"}})
    assert set(metrics) - {"rouge_signature"} <= set(Summarize().measured(recipe))


def test_an_interval_holds_the_mean_and_depends_on_the_seed_only() -> None:
    outputs, references = ["a b c d", "a b", "x"] * 20, [["a b c"], ["a b"], ["y"]] * 20
    first, again, other = (rouge_metrics(outputs, references, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        assert float(first[f"{name}_low"]) < float(first[name]) < float(first[f"{name}_high"])


def test_a_trigram_is_repeated_where_it_occurred_before_in_its_output() -> None:
    assert repeated_trigrams(["a b c a b c", "a b c", "a b", ""]) == 1 / 5
    assert repeated_trigrams(["我们去我们去我们去"]) == 4 / 7
    assert repeated_trigrams(["a"]) == 0


def test_equal_texts_of_every_script_score_100_and_others_0() -> None:
    for text, other in zip(TEXTS, TEXTS[1:] + TEXTS[:1], strict=True):
        same, different = rouge_metrics([text], [[text]]), rouge_metrics([text], [[other]])
        for name in ("rouge_1", "rouge_2", "rouge_l"):
            assert same[name] == pytest.approx(100), text
            assert different[name] == 0, text


def test_chinese_is_compared_by_characters() -> None:
    metrics = rouge_metrics(["今天天气好。"], [["今天天气很好，我们去公园。"]])
    # 5 characters, all of them among the 11 of the reference, and 3 of 4 pairs among its 10.
    assert metrics["rouge_1"] == pytest.approx(100 * 2 * 5 / 16)
    assert metrics["rouge_2"] == pytest.approx(100 * 2 * 3 / 14)
    assert metrics["rouge_signature"] == "nrefs:1|tok:terms|stem:no|version:0.1.2"


def test_a_language_decides_against_the_script() -> None:
    french, said = ["les étés"], [["l'été"]]
    assert (
        rouge_metrics(french, said, language="en")["rouge_signature"]
        == "nrefs:1|tok:rouge_score|stem:porter|version:0.1.2"
    )
    assert rouge_metrics(["the storms"], [["the storm"]], language="en")["rouge_1"] == pytest.approx(100)
    assert rouge_metrics(["the storms"], [["the storm"]], language="nl")["rouge_1"] == pytest.approx(50)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.lists(st.sampled_from("abc"), min_size=1, max_size=12)
)
def test_letters_without_spaces_score_as_words_with_spaces(output: list[str], reference: list[str]) -> None:
    chinese = str.maketrans("abc", "日月星")
    ours = rouge_metrics(["".join(output).translate(chinese)], [["".join(reference).translate(chinese)]])
    english = rouge_metrics([" ".join(output)], [[" ".join(reference)]], language="en")
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        assert ours[name] == english[name]


def test_the_lead_of_chinese_has_the_characters_of_a_reference() -> None:
    assert lead_outputs(["我们去公园，今天天气很好。"], [["今天天气"]]) == ["我们去公"]
