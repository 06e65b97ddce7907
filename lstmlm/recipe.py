"""The recipe: one typed YAML file that describes a whole run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lstmlm.errors import UserError
from lstmlm.places import check_local
from lstmlm.presets import PRESETS, Preset
from lstmlm.recipe_corpus import Corpus, Fraction, Positive, Section

Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]


# SentencePiece's own marks and those of lstmlm.tokenizer.marks; the names that lstmlm.tokenizer.train gives.
_MARKS = "\0\u2581\u2585\ue281"
_OWN_PIECES = ("<|pad|>", "<|unknown|>", "<|begin|>", "<|end|>")


def _refuse(clashes: Iterable[str]) -> None:
    """Raises what does not go together, a line each, as `what. What to do`.

    Raises:
        ValueError: There is something.
    """
    if lines := list(clashes):
        raise ValueError("\n".join(lines))


class Tokenizer(Section):
    """The SentencePiece vocabulary; byte fallback is always on, so no text is out of vocabulary."""

    model: Path | None = Field(
        None,
        description="An existing SentencePiece `.model` or Hugging Face `tokenizer.json`; nothing is trained then.",
    )
    vocabulary: Annotated[int, Field(ge=261, le=250_000)] = Field(
        8000, description="Number of pieces; of an `algorithm: word`, at most: a text may have fewer words."
    )
    algorithm: Literal["unigram", "bpe", "word"] = Field(
        "unigram",
        description="How SentencePiece builds the pieces; `word` takes whole words, the most frequent first, and "
        "spells the others in bytes.",
    )
    sample: Positive = Field(200_000, description="Records the vocabulary is trained on at most, drawn by hash.")
    symbols: tuple[str, ...] = Field((), description="Strings that are always one piece, such as `<unk>`.")

    @field_validator("symbols")
    @classmethod
    def _symbols_can_be_pieces(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for place, symbol in enumerate(symbols):
            if symbol in symbols[:place]:
                raise ValueError(f"{symbol!r} is there twice")
            if not symbol or any(letter.isspace() or letter in _MARKS for letter in symbol):
                raise ValueError(f"{symbol!r}: a symbol is text without spaces, NUL, U+2581, U+2585 and U+E281")
            if symbol in _OWN_PIECES or re.fullmatch(r"<0x[0-9A-F]{2}>", symbol):
                raise ValueError(f"{symbol!r} is a piece of every vocabulary: choose another name")
        return symbols

    @model_validator(mode="after")
    def _words_are_whole(self) -> Self:
        # A symbol is cut out of its word, and what is left of the word then is no piece.
        if self.algorithm == "word" and self.symbols:
            raise ValueError("symbols go with unigram and bpe: in a vocabulary of words each word is one piece")
        return self


class Examples(Section):
    """How token ids are laid out for training."""

    window: Positive = Field(64, description="Tokens a language-model window holds.")
    max_source: Positive = Field(64, description="Source tokens kept of a pair; the rest is cut and counted.")
    max_target: Positive = Field(64, description="Target tokens kept of a pair, likewise.")
    buckets: tuple[Positive, ...] = Field(
        (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512),
        description="Upper lengths (tokens) pairs are grouped by; a batch is padded to its bucket.",
    )


REGULARISATION = frozenset({"dropout", "input_dropout", "output_dropout", "embedding_dropout", "weight_drop"})
"""Fields of `Model` that act in training only: two models that differ in them are the same network."""


class Model(Section):
    """The network: its sizes, what is dropped in training, how it attends and predicts."""

    embedding: Positive = Field(256, description="Width of the token embedding, tied to the output layer.")
    units: Positive = Field(512, description="Units of an LSTM layer (of the decoder, for pairs).")
    layers: Positive = Field(1, description="LSTM layers (of the decoder, for pairs).")
    residual: bool = Field(False, description="Add a layer's input to its output, from the second layer on.")
    encoder_units: Positive = Field(256, description="Units of each direction of the encoder.")
    encoder_layers: Positive = Field(1, description="Bidirectional layers of the encoder.")
    attention: Literal["luong", "bahdanau"] = Field("luong", description="General (product) or additive score (pairs).")
    input_feeding: bool = Field(
        False, description="The decoder reads the last attentional vector too (pairs); trains step by step, so slower."
    )
    pointer: bool = Field(False, description="Mix copying source tokens into the prediction (pairs; See et al. 2017).")
    softmax: Literal["full", "adaptive"] = Field(
        "full", description="Adaptive is faster for large vocabularies whose ids fall in frequency (Grave et al. 2017)."
    )
    cutoffs: tuple[Positive, ...] = Field(
        (), description="First ids of the rare clusters (adaptive); absent: at an eighth and at half of the vocabulary."
    )
    dropout: Dropout = Field(0.2, description="Share of units dropped behind each layer, locked over time.")
    input_dropout: Dropout | None = Field(None, description="The same on the embedded input; absent: `dropout`.")
    output_dropout: Dropout | None = Field(None, description="The same behind the last layer; absent: `dropout`.")
    embedding_dropout: Dropout = Field(0.0, description="Share of the vocabulary whose embedding is 0 for a step.")
    weight_drop: Dropout = Field(0.0, description="Share of recurrent weights that are 0 for a step (DropConnect).")

    def clusters(self, vocabulary: int) -> tuple[int, ...]:
        """Returns the first ids of the rare clusters of an adaptive softmax; a full one has none."""
        if self.softmax == "full":
            return ()
        return self.cutoffs or (vocabulary // 8, vocabulary // 2)


class Training(Section):
    """The optimisation and how it is spread over workers."""

    steps: Positive = Field(
        1000, description="Optimizer steps. A larger number than before resumes at the end of the training before."
    )
    initial: Path | None = Field(
        None,
        description="Folder of an earlier model with the initial weights, to fine-tune them on other data: of the same "
        "network and the same tokenizer; absent: random weights.",
    )
    batch: Positive = Field(32, description="Windows in a global batch (language models).")
    batch_tokens: Positive = Field(4096, description="Padded source + target tokens in a global batch (pairs).")
    carry_state: bool = Field(
        True,
        description="Rows of a batch are running streams whose LSTM state is carried on (language models); "
        "false: shuffled windows that each begin with a state of 0.",
    )
    optimizer: Literal["adamw", "sgd", "nt_asgd"] = Field(
        "adamw", description="`nt_asgd` is SGD that starts averaging when it gets no better (Merity et al. 2018)."
    )
    learning_rate: Annotated[float, Field(gt=0.0)] = Field(2e-3, description="Peak learning rate.")
    weight_decay: Annotated[float, Field(ge=0.0)] = Field(0.0, description="Decoupled decay of all weight matrices.")
    schedule: Literal["cosine", "inverse_sqrt", "plateau"] = Field(
        "cosine", description="How the rate falls after the warm-up."
    )
    warmup: Annotated[int, Field(ge=0)] = Field(100, description="Steps of linear warm-up.")
    final_rate: Fraction = Field(0.05, description="Smallest learning rate, as a share of the peak.")
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.5, description="Factor on the rate at a plateau of the validation loss (`plateau`)."
    )
    patience: Positive = Field(2, description="Evaluations without a better loss that make a plateau (`plateau`).")
    non_monotone: Positive = Field(5, description="Evaluations the loss is compared over (`nt_asgd`).")
    clip: Annotated[float, Field(gt=0.0)] = Field(1.0, description="Largest global norm of the gradient.")
    accumulate: Positive = Field(
        1, description="Slices a worker computes its rows in, one after the other: less memory, the same step."
    )
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        0.0,
        description="Decay of the moving average of the weights that is judged and kept; 0: the weights themselves.",
    )
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.0, description="Share spread over all tokens.")
    activation_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of the mean square of the last layer's output (AR; language models)."
    )
    temporal_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of the mean square of its change from step to step (TAR; language models)."
    )
    evaluate_every: Positive = Field(200, description="Steps between evaluations on the valid split.")
    evaluate_batches: Positive = Field(50, description="Batches of the valid split an evaluation reads at most.")
    metric: str = Field(
        "loss",
        description="What evaluations are compared by, for the published weights, `keep_best` and `early_stop`: "
        "`loss`, `perplexity`, or what the task measures of outputs decoded greedily (`bleu`, `chrf`; `rouge_1`, "
        "`rouge_2`, `rouge_l`).",
    )
    evaluate_records: Positive = Field(
        200, description="Records of the valid split an evaluation decodes at most, for a `metric` of outputs."
    )
    early_stop: Positive | None = Field(
        None, description="Stop after this many evaluations that are not better than the best before, by `metric`."
    )
    checkpoint_every: Positive = Field(200, description="Steps between checkpoints.")
    keep: Positive = Field(2, description="Latest checkpoints kept.")
    keep_best: Positive = Field(
        1, description="Best evaluations, by `metric`, whose weights are kept, for `lstmlm average`."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Type of the matrix products; weights and state stay float32."
    )
    workers: Positive | tuple[Positive, Positive] = Field(
        2,
        description="Ray Train workers, or [fewest, most]: what there is room for; the result does not depend on it.",
    )
    threads: Positive = Field(1, description="TensorFlow threads a worker computes with.")
    use_gpu: bool = Field(False, description="Give each worker a GPU.")
    collective_timeout: Positive = Field(120, description="Seconds after which a silent peer fails the step.")
    max_failures: Annotated[int, Field(ge=0)] = Field(2, description="Restarts from the last checkpoint.")
    tensorboard: bool = Field(False, description="Write TensorBoard events to `tensorboard/` in the run's folder.")
    mlflow: str | None = Field(None, description="MLflow tracking URI to log to; needs the package `mlflow`.")

    @property
    def fewest_workers(self) -> int:
        """Workers that training needs at least."""
        return self.workers if isinstance(self.workers, int) else self.workers[0]

    @property
    def most_workers(self) -> int:
        """Workers that training uses at most."""
        return self.workers if isinstance(self.workers, int) else self.workers[1]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.fewest_workers > self.most_workers:
            raise ValueError(
                f"workers are {self.fewest_workers} at least and {self.most_workers} at most. Write the smaller first"
            )
        return self


class Threshold(Section):
    """Bounds of one metric; outside of them the model is not pushed."""

    min: float | None = Field(None, description="Smallest acceptable value.")
    max: float | None = Field(None, description="Largest acceptable value.")


class Cache(Section):
    """A neural cache beside a language model, measured as metrics of its own (Grave et al. 2017)."""

    size: Annotated[int, Field(ge=0)] = Field(0, description="Recent positions it holds; 0: no cache.")
    sharpness: Annotated[float, Field(gt=0.0)] = Field(1.0, description="How much more like positions count.")
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(0.15, description="Its share of the mixture.")


class Evaluation(Section):
    """How the trained model is judged."""

    thresholds: dict[str, Threshold] = Field({}, description="Metric name -> bounds.")
    max_records: Positive = Field(5000, description="Records of the valid split that are decoded at most.")
    cache: Cache = Cache()


class Decoding(Section):
    """How text is decoded: by the batch job and the evaluation as their own recipe says, whatever the export's said.

    The SavedModel, which serves single requests, has it built in. It samples where `method` is `sample`, with the
    temperature alone, and is greedy otherwise, without rules of what an output must contain; what is unknown stays so.
    """

    method: Literal["greedy", "sample", "beam"] = Field("greedy", description="Most likely token, a draw, or a beam.")
    temperature: Annotated[float, Field(ge=1e-4, allow_inf_nan=False)] = Field(
        1.0, description="Divides the logits before a draw; method sample, others take no notice of it."
    )
    top_k: Annotated[int, Field(ge=0)] = Field(0, description="Draw among that many most likely tokens; 0: all.")
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0, description="Draw among the fewest most likely tokens that have this probability together."
    )
    beam: Positive = Field(5, description="Hypotheses that beam search keeps of a record.")
    n_best: Positive = Field(
        1,
        description="Outputs written of a record, in `n_best` where more than one. Beam search: the best texts with "
        "their scores, each text once, so there may be fewer. Sampling: independent draws with seeds of their own; the "
        "first is `output`, and two can be the same.",
    )
    length_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.6, description="Exponent that the length of a hypothesis weighs with (Wu et al. 2016); beam search."
    )
    coverage_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of source tokens that were not attended to (Wu et al. 2016); beam search, pairs."
    )
    max_tokens: Positive = Field(64, description="Tokens decoded at most.")
    min_tokens: Annotated[int, Field(ge=0)] = Field(0, description="Tokens decoded at least.")
    no_repeat_ngram: Annotated[int, Field(ge=0)] = Field(
        0,
        description="No n-gram of that many tokens occurs in an output twice, but for those of `forced`; 0: any may.",
    )
    forbidden: tuple[str, ...] = Field(
        (),
        description="Words and phrases that occur in no output, however they are spelled in tokens; case counts. `a "
        "word` is the words with any white space between, not a part of longer ones (`a wordy`): a word ends where no "
        "letter, digit, mark or underscore follows. In scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, "
        "Burmese, Tibetan), and at a sign (`C++`), within other text too. Before `min_tokens`, where both cannot be.",
    )
    forced: tuple[str, ...] = Field(
        (),
        description="Words and phrases that occur in every output, not as part of longer words; beam search. What "
        "takes more than `max_tokens`, or is forbidden, is refused.",
    )
    replace_unknown: bool = Field(
        False,
        description="Write the source text attended to where the unknown token is decoded (pairs; Luong et al. 2015); "
        "for given vocabularies without byte fallback, others have no unknown text.",
    )
    backend: Literal["onnx", "tensorflow"] = Field(
        "onnx", description="What computes the batch job: onnxruntime on processors, TensorFlow on GPUs too."
    )
    precision: Literal["float32", "int8", "bfloat16"] = Field(
        "float32", description="Matrix products of the batch job; int8 with `onnx` alone, bfloat16 with `tensorflow`."
    )
    slots: Positive = Field(64, description="Rows that the batch job decodes together; a beam takes several.")
    batch: Positive = Field(64, description="Rows that the SavedModel decodes together; a batch is padded to it.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuses what would have no effect, or cannot be."""
        _refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        computes = {"onnx": ("float32", "int8"), "tensorflow": ("float32", "bfloat16")}[self.backend]
        if self.precision not in computes:
            what = f"backend {self.backend} computes in {' or '.join(computes)}, not in {self.precision}"
            yield f"{what}. Change precision or backend"
        for field, methods in (
            ("forced", ["beam"]),
            ("n_best", ["beam", "sample"]),
            ("coverage_penalty", ["beam"]),
            ("top_k", ["sample"]),
            ("top_p", ["sample"]),
        ):
            if self.method not in methods and getattr(self, field) != type(self).model_fields[field].default:
                what = f"`{field}` needs method {' or '.join(methods)}, and it is {self.method}"
                yield f"{what}. Set method to {methods[0]}, or leave {field} out"
        if self.method == "beam" and self.n_best > self.beam:
            yield f"n_best is {self.n_best}, and the beam keeps {self.beam}. Set beam to {self.n_best} or more"
        if self.no_repeat_ngram > self.max_tokens:
            what = f"no_repeat_ngram is {self.no_repeat_ngram}, and max_tokens {self.max_tokens}: it has no effect"
            yield f"{what}. Set no_repeat_ngram to at most {self.max_tokens}"
        for field in ("forbidden", "forced"):
            if not all(phrase.strip() for phrase in getattr(self, field)):
                yield f"`{field}` has an empty word in it. Leave it out"
        if self.min_tokens > self.max_tokens:
            what = f"min_tokens is {self.min_tokens}, and max_tokens {self.max_tokens}"
            yield f"{what}. Set min_tokens to at most {self.max_tokens}"


class Inference(Section):
    """The batch job at the end of the run."""

    input: str | None = Field(
        None,
        description="File, folder or glob below `corpus.root`: as `corpus.train`, or .tfrecord of `tf.train.Example`; "
        "absent: the sources of the valid split.",
    )
    field: str = Field("text", description="Key or column of the input text; a .txt line is the text itself.")
    target: str = Field("target", description="Key of the output text that `lstmlm score` scores (pair tasks).")
    id: str | None = Field(None, description="Key or column of the record's id; absent: `file:line`.")
    max_records: Positive | None = Field(None, description="Records taken from the valid split at most.")
    format: Literal["jsonl", "parquet", "tfrecord"] = Field("jsonl", description="Kind of the output files.")
    shards: Positive = Field(2, description="Files the outputs are written to.")
    max_dead_fraction: Fraction = Field(0.01, description="A larger share of dead letters fails the job.")


class Recipe(Section):
    """One run from raw text to batch output."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")] = Field(description="Name of the run.")
    task: str = Field(description="Module of `lstmlm.tasks`: what is learnt (`lstmlm recipe tasks` lists them).")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(1, description="Decides everything random.")
    preset: Preset | None = Field(
        None, description="Fields of `model` and `training` that the recipe leaves open (see `lstmlm/presets.py`)."
    )
    output: Path = Field(Path("runs"), description="Folder the run's own folder is made in.")
    corpus: Corpus
    tokenizer: Tokenizer = Tokenizer()
    examples: Examples = Examples()
    model: Model = Model()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    decoding: Decoding = Decoding()
    inference: Inference = Inference()

    @field_validator("output", mode="before")
    @classmethod
    def _output_is_local(cls, value: Any) -> Any:
        try:
            check_local(str(value))
        except UserError as error:
            raise ValueError(str(error)) from error
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("preset") not in PRESETS:
            return content
        filled = dict(content)
        for section, fields in PRESETS[content["preset"]].items():
            given = filled.get(section, {})
            if isinstance(given, dict):
                filled[section] = fields | given
        return filled

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        if self.training.label_smoothing and self.model.pointer:
            yield "training.label_smoothing needs a model without model.pointer. Leave one of them out"
        if self.model.softmax == "adaptive" and self.model.pointer:
            yield "model.pointer needs model.softmax=full. Leave one of them out"
        if list(self.model.cutoffs) != sorted(set(self.model.cutoffs)):
            yield f"model.cutoffs must rise. Write them as {sorted(set(self.model.cutoffs))}"

    @property
    def run_folder(self) -> Path:
        """The folder that holds everything of this run."""
        return self.output / self.name
