"""`training`: how the network is trained."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from lstmlm.recipe.sections.initial import Initial, as_section
from lstmlm.recipe.sections.section import Fraction, Positive, Section


class TrainingSection(Section):
    """The optimisation and how it is spread over workers."""

    steps: Positive = Field(
        1000, description="Optimizer steps. A larger number than before resumes at the end of the training before."
    )
    initial: Annotated[Initial | None, BeforeValidator(as_section)] = Field(
        None, description="The earlier model to start from; absent: random weights."
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
        description="Decay of the moving average of the weights that is evaluated and kept; 0: the weights themselves.",
    )
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.0, description="Share spread over all tokens.")
    coverage_loss: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of attention to what was attended to before (See et al. 2017); for `model.coverage`."
    )
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
        description="Ray Train workers, or [fewest, most]: what there is room for. The result depends on their number "
        "only in the rounding of sums.",
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
