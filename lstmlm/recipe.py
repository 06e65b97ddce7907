"""The recipe: one typed YAML file that describes a whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A part of the recipe. Unknown keys are errors; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]


class Duplicates(Section):
    """Which records count as copies of an earlier one; the first in corpus order stays."""

    exact: bool = Field(False, description="Drop records whose text (source and targets) stood before.")
    near: Annotated[float, Field(ge=0.3, le=1.0)] | None = Field(
        None, description="Drop records whose shingles have this Jaccard similarity, or more, to an earlier one's."
    )
    ngram: Positive = Field(5, description="Words of a shingle.")
    bands: Positive | None = Field(None, description="MinHash bands; absent: as `near` asks for.")
    rows: Positive | None = Field(None, description="Hashes of a band; absent: as `near` asks for.")


class Decontamination(Section):
    """Evaluation files whose text must not be learnt from."""

    files: tuple[str, ...] = Field((), description="Files or globs below `corpus.root`, in the format of the corpus.")
    ngram: Positive = Field(13, description="Words in a row that must be shared for a record to be dropped.")


class Privacy(Section):
    """Personal data that is replaced in every text."""

    kinds: tuple[Literal["email", "phone", "card", "iban", "ip", "national_id", "url_credentials", "presidio"], ...] = (
        Field((), description="What is looked for; `presidio` needs Microsoft Presidio installed.")
    )
    regions: tuple[str, ...] = Field(
        ("US", "GB", "FR", "DE", "ES", "IT"), description="Countries whose phone numbers and national ids are known."
    )
    action: Literal["placeholder", "pseudonym"] = Field(
        "placeholder", description="A typed placeholder such as `<EMAIL>`, or a stable keyed pseudonym."
    )
    key: str | None = Field(None, description="Environment variable that holds the key of the pseudonyms.")


class Mixture(Section):
    """How often the records of some train files are used."""

    files: str = Field(description="File or glob below `corpus.root`, among those of `corpus.train`.")
    weight: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        1.0, description="Times each record is used: 0.5 is every second one (by hash), 2 is every one twice."
    )


class Corpus(Section):
    """Where the text comes from, how a row of it becomes a record, and which records are kept."""

    root: Path = Field(
        Path(), description="Folder that `train` and `valid` are relative to; `${NAME}` takes an environment variable."
    )
    train: str = Field(
        description="File, folder or glob below `root`: .txt, .tsv, .csv, .jsonl (each also .gz, .bz2, .zst), .parquet."
    )
    valid: str | None = Field(None, description="The same for evaluation; absent: a hash split of `train`.")
    valid_fraction: Fraction = Field(0.02, description="Share of records split off for evaluation without `valid`.")
    split_key: str | None = Field(
        None, description="Column or key: records that share its value never cross splits; absent: the record's id."
    )
    source: str = Field("text", description="Column or key of the input text; a .txt line is the text itself.")
    target: str | None = Field(None, description="Column or key of the output text, or list of texts (pair tasks).")
    id: str | None = Field(None, description="Column or key of the record's id; absent: `file:line`.")
    unit: Literal["line", "paragraph"] = Field(
        "line", description="What a record of a .txt file is; paragraphs are parted by blank lines."
    )
    max_line_bytes: Positive = Field(1_000_000, description="A longer line is a dead letter.")
    max_dead_fraction: Fraction = Field(0.01, description="A larger share of dead letters fails the run.")
    damaged: Literal["keep", "dead"] = Field(
        "keep", description="A damaged compressed file: keep what is good of it, or make the whole file a dead letter."
    )
    max_expansion: Positive = Field(
        1000, description="A compressed file that grows by more than this factor (and beyond 1 GB) is refused."
    )
    normalise: bool = Field(False, description="Mend mojibake, apply NFC, drop control characters, tidy white space.")
    languages: tuple[str, ...] = Field((), description="ISO 639-1 codes kept of the source; empty: all.")
    target_languages: tuple[str, ...] = Field((), description="The same for targets.")
    quality: tuple[Literal["gopher", "c4", "fineweb", "pairs"], ...] = Field(
        (), description="Rule sets with their published thresholds; `pairs` compares source and target."
    )
    privacy: Privacy = Privacy()
    duplicates: Duplicates = Duplicates()
    decontamination: Decontamination = Decontamination()
    mixture: tuple[Mixture, ...] = Field((), description="Weights of train files; a file named nowhere has weight 1.")
    exclusions: bool = Field(False, description="Write what was dropped, with its reason, to `exclusions.jsonl.gz`.")
    shuffle: bool = Field(False, description="Shuffle records across shards by a seeded key; else corpus order.")
    shards: Positive | None = Field(None, description="TFRecord files a split is written to; absent: by size.")
    shard_bytes: Positive = Field(128_000_000, description="About how large a shard is where `shards` is absent.")


class Tokenizer(Section):
    """The SentencePiece vocabulary; byte fallback is always on, so no text is out of vocabulary."""

    model: Path | None = Field(
        None,
        description="An existing SentencePiece `.model` or Hugging Face `tokenizer.json`; nothing is trained then.",
    )
    vocabulary: Annotated[int, Field(ge=300, le=250_000)] = Field(8000, description="Number of pieces.")
    algorithm: Literal["unigram", "bpe"] = Field("unigram", description="How SentencePiece builds the pieces.")
    sample: Positive = Field(200_000, description="Records the vocabulary is trained on at most, drawn by hash.")
    symbols: tuple[str, ...] = Field((), description="Strings that are always one piece, such as `<unk>`.")


class Examples(Section):
    """How token ids are laid out for training."""

    window: Positive = Field(64, description="Tokens a language-model window holds.")
    max_source: Positive = Field(64, description="Source tokens kept of a pair; the rest is cut and counted.")
    max_target: Positive = Field(64, description="Target tokens kept of a pair, likewise.")
    buckets: tuple[Positive, ...] = Field(
        (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512),
        description="Upper lengths (tokens) pairs are grouped by; a batch is padded to its bucket.",
    )


class Model(Section):
    """Sizes of the network."""

    embedding: Positive = Field(256, description="Width of the token embedding, tied to the output layer.")
    units: Positive = Field(512, description="Units of an LSTM layer (of the decoder, for pairs).")
    layers: Positive = Field(1, description="LSTM layers (of the decoder, for pairs).")
    encoder_units: Positive = Field(256, description="Units of each direction of the encoder.")
    encoder_layers: Positive = Field(1, description="Bidirectional layers of the encoder.")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.2, description="Dropout between layers.")


class Training(Section):
    """The optimisation and how it is spread over workers."""

    steps: Positive = Field(1000, description="Optimizer steps.")
    batch: Positive = Field(32, description="Windows in a global batch (language models).")
    batch_tokens: Positive = Field(4096, description="Padded source + target tokens in a global batch (pairs).")
    learning_rate: Annotated[float, Field(gt=0.0)] = Field(2e-3, description="Peak learning rate of Adam.")
    warmup: Annotated[int, Field(ge=0)] = Field(100, description="Steps of linear warm-up, then cosine decay.")
    final_rate: Fraction = Field(0.05, description="Learning rate at the last step, as a share of the peak.")
    clip: Annotated[float, Field(gt=0.0)] = Field(1.0, description="Largest global norm of the gradient.")
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.0, description="Share spread over all tokens.")
    evaluate_every: Positive = Field(200, description="Steps between evaluations on the valid split.")
    evaluate_batches: Positive = Field(50, description="Batches of the valid split an evaluation reads at most.")
    checkpoint_every: Positive = Field(200, description="Steps between checkpoints.")
    keep: Positive = Field(2, description="Latest checkpoints kept, beside the best.")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Type of the matrix products; weights and state stay float32."
    )
    workers: Positive = Field(2, description="Ray Train workers; the result does not depend on it.")
    threads: Positive = Field(1, description="TensorFlow threads a worker computes with.")
    use_gpu: bool = Field(False, description="Give each worker a GPU.")
    collective_timeout: Positive = Field(120, description="Seconds after which a silent peer fails the step.")
    max_failures: Annotated[int, Field(ge=0)] = Field(2, description="Restarts from the last checkpoint.")


class Threshold(Section):
    """Bounds of one metric; outside of them the model is not pushed."""

    min: float | None = Field(None, description="Smallest acceptable value.")
    max: float | None = Field(None, description="Largest acceptable value.")


class Evaluation(Section):
    """How the trained model is judged."""

    thresholds: dict[str, Threshold] = Field({}, description="Metric name -> bounds.")
    max_records: Positive = Field(5000, description="Records of the valid split that are decoded at most.")


class Decoding(Section):
    """How text is decoded, in the exported model and so in every job that uses it.

    The batch job and the evaluation use all of it. The SavedModel, which serves single requests, samples where `method`
    is `sample`, with the temperature alone, and is greedy otherwise, without rules of what an output must contain.
    """

    method: Literal["greedy", "sample", "beam"] = Field("greedy", description="Most likely token, a draw, or a beam.")
    temperature: Annotated[float, Field(gt=0.0)] = Field(1.0, description="Divides the logits before a draw.")
    top_k: Annotated[int, Field(ge=0)] = Field(0, description="Draw among that many most likely tokens; 0: all.")
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0, description="Draw among the fewest most likely tokens that have this probability together."
    )
    beam: Positive = Field(5, description="Hypotheses that beam search keeps of a record.")
    n_best: Positive = Field(1, description="Outputs written of a record, with their scores where more than one.")
    length_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.6, description="Exponent that the length of a hypothesis weighs with (Wu et al. 2016); beam search."
    )
    coverage_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of source tokens that were not attended to (Wu et al. 2016); beam search, pairs."
    )
    max_tokens: Positive = Field(64, description="Tokens decoded at most.")
    min_tokens: Annotated[int, Field(ge=0)] = Field(0, description="Tokens decoded at least.")
    no_repeat_ngram: Annotated[int, Field(ge=0)] = Field(
        0, description="No n-gram of that many tokens stands in an output twice; 0: any may."
    )
    forbidden: tuple[str, ...] = Field((), description="Words that do not stand in an output.")
    forced: tuple[str, ...] = Field((), description="Words that stand in every output; beam search.")
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
        computes = {"onnx": ("float32", "int8"), "tensorflow": ("float32", "bfloat16")}[self.backend]
        if self.precision not in computes:
            raise ValueError(f"backend {self.backend} computes in {' or '.join(computes)}, not in {self.precision}")
        if self.method != "beam" and (self.forced or self.n_best > 1):
            raise ValueError("`forced` and `n_best` need method beam")
        if self.n_best > self.beam:
            raise ValueError(f"n_best is {self.n_best}, and the beam keeps {self.beam}")
        if self.method != "sample" and (self.top_k or self.top_p < 1):
            raise ValueError("`top_k` and `top_p` need method sample")
        if self.min_tokens > self.max_tokens:
            raise ValueError(f"min_tokens is {self.min_tokens}, and max_tokens {self.max_tokens}")
        return self


class Inference(Section):
    """The batch job at the end of the run."""

    input: str | None = Field(None, description="JSONL below `corpus.root`; absent: the sources of the valid split.")
    field: str = Field("text", description="Key of the input text.")
    target: str = Field("target", description="Key of the output text that `lstmlm score` scores (pair tasks).")
    id: str | None = Field(None, description="Key of the record's id; absent: `file:line`.")
    max_records: Positive | None = Field(None, description="Records taken from the valid split at most.")
    shards: Positive = Field(2, description="JSONL files the outputs are written to.")
    max_dead_fraction: Fraction = Field(0.01, description="A larger share of dead letters fails the job.")


class Recipe(Section):
    """One run from raw text to batch output."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")] = Field(description="Name of the run.")
    task: str = Field(description="Module of `lstmlm.tasks`: what is learnt (`lstmlm recipe tasks` lists them).")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(1, description="Decides everything random.")
    output: Path = Field(Path("runs"), description="Folder the run's own folder is made in.")
    corpus: Corpus
    tokenizer: Tokenizer = Tokenizer()
    examples: Examples = Examples()
    model: Model = Model()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    decoding: Decoding = Decoding()
    inference: Inference = Inference()

    @property
    def run_folder(self) -> Path:
        """The folder that holds everything of this run."""
        return self.output / self.name
