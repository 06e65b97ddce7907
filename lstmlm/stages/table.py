"""The table of stages. Nothing else lists them; `lstmlm stages --json` prints it.

To add a stage, write its function and a row here. Its module finds its row by name: `STAGE = STAGES["ingest"]`.
"""

from __future__ import annotations

from lstmlm.stages.stage import Input, Node, Stage

_CORPUS_VERSION = 13
"""Of ingest and clean, which are the same passes over a corpus."""

_RECORDS = Input("records", "ingest")
_TOKENIZER = Input("tokenizer", "tokenizer")
_DECODING = "lstmlm.inference.outside:decoding_fingerprint"
_ACCOUNTS = "`dead_letters.jsonl`, `report.json`, `report.html`, on request `exclusions.jsonl.gz`"
_SERVED = "Format-Serving"
"""Where Pusher looks for a model, inside its artifact."""

_HOW_TRAINED = (
    "workers",
    "threads",
    "use_gpu",
    "accumulate",
    "collective_timeout",
    "max_failures",
    "keep",
    "keep_best",
    "checkpoint_every",
    "initial",  # its paths; what is in those folders, and how it is used, is a part of the fingerprint
    "tensorboard",
    "mlflow",
)
"""Fields of `training` that say how the work is spread, saved and watched: the weights do not depend on them."""

_ROWS = (
    Stage(
        name="ingest",
        help="Read the corpus into records.",
        function="lstmlm.corpus.ingest:ingest",
        kind="records",
        version=_CORPUS_VERSION,
        holds="`Split-train/`, `Split-valid/` with `data-00000-of-00004.tfrecord` of `tf.train.Example` "
        f"(`lstmlm.records.record`), {_ACCOUNTS}",
        decides=("task", "seed", "corpus"),
        ignores=("corpus.root",),
        reads=("name",),  # the report is titled with it
        outside=("lstmlm.corpus.sources.snapshot:corpus_fingerprint",),
        checks=("corpus",),
        beam=True,
        node=Node("Ingest", "records", "Examples"),
        stores="streamed",
    ),
    Stage(
        name="statistics",
        help="Count what the records are like.",
        inputs=(Input("examples", "ingest"),),
        node=Node("StatisticsGen", "statistics", "ExampleStatistics"),
    ),
    Stage(
        name="schema",
        help="Infer a schema from the statistics.",
        inputs=(Input("statistics", "statistics"),),
        node=Node("SchemaGen", "schema", "Schema"),
    ),
    Stage(
        name="validate",
        help="Compare the statistics with the schema.",
        inputs=(Input("statistics", "statistics"), Input("schema", "schema")),
        node=Node("ExampleValidator", "anomalies", "ExampleAnomalies"),
    ),
    Stage(
        name="clean",
        help="Write the cleaned corpus as gzipped JSON lines, without splits: to keep or to pass on.",
        function="lstmlm.corpus.ingest:clean",
        kind="documents",
        version=_CORPUS_VERSION,
        holds=f"`documents-00000-of-00004.jsonl.gz`, {_ACCOUNTS}",
        decides=("task", "seed", "corpus"),
        ignores=("corpus.root",),
        reads=("name",),
        checks=("corpus",),
        beam=True,
        stores="streamed",
    ),
    Stage(
        name="tokenizer",
        help="Train the SentencePiece vocabulary.",
        function="lstmlm.vocabulary.stage:train_tokenizer",
        kind="tokenizer",
        version=3,
        holds="`tokenizer.model`, or a given `tokenizer.json`; of one that grew, `grown.json`",
        inputs=(_RECORDS,),
        decides=("task", "seed", "tokenizer"),
        # Where the given file or the older one is; its content is a part of the fingerprint.
        ignores=("tokenizer.model", "tokenizer.grows"),
        outside=("lstmlm.vocabulary.outside:outside_fingerprint",),
        checks=("tokenizer",),
        node=Node("Tokenizer", "tokenizer", "Tokenizer"),
        stores="copied",
    ),
    Stage(
        name="examples",
        help="Turn records into token ids, laid out for training.",
        function="lstmlm.examples.build:build_examples",
        kind="examples",
        version=4,
        holds="`Split-train/`, `Split-valid/` of int64 features, each shard with its `.index`",
        inputs=(_RECORDS, _TOKENIZER),
        decides=("task", "examples"),
        ignores=("examples.buckets",),
        beam=True,
        node=Node("BuildExamples", "examples", "Examples"),
        stores="streamed",
    ),
    Stage(
        name="vectors",
        help="Make an earlier model of pre-trained vectors, for the embedding of training.initial.",
        function="lstmlm.training.initial.vectors:make_vectors",
        kind="model",
        version=1,
        holds="`weights.npz` (the embedding), `model.json`",
        inputs=(_TOKENIZER,),
        decides=("task", "seed", "model"),
    ),
    Stage(
        name="train",
        help="Train the model on Ray.",
        function="lstmlm.training.run:train",
        kind="model",
        version=4,
        holds="`weights.npz`, `model.json`, `metrics.jsonl`, `loss.png`; with `training.keep_best`, "
        "`best/best-00000400.npz`",
        inputs=(Input("examples", "examples"), _TOKENIZER),
        # An objective that is measured on outputs (`training.metric: bleu`) depends on their language.
        decides=("task", "seed", "examples", "model", "training", "evaluation.language"),
        ignores=tuple(f"training.{field}" for field in _HOW_TRAINED),
        reads=("name", "output"),  # checkpoints are stored in the run's folder
        outside=("lstmlm.training.initial.earlier:initial_fingerprint",),
        checks=("earlier",),
        node=Node("Trainer", "model", "TrainingRun"),
    ),
    Stage(
        name="average",
        help="Average the weights of a model's best evaluations (training.keep_best).",
        function="lstmlm.training.checkpoints.average:average",
        kind="model",
        version=2,
        holds="as `train`; the weights are the mean of those in `best/`",
        inputs=(Input("model", "train"),),
        stores="copied",
    ),
    Stage(
        name="export",
        help="Write the SavedModel: text in, text out.",
        function="lstmlm.export:export",
        kind="export",
        version=8,
        holds="a SavedModel, `weights.npz`, `model.json`, `tokenizer.model`",
        inputs=(Input("model", "train", channel="training_run"), _TOKENIZER),
        decides=("task", "decoding", "examples"),
        checks=("export",),
        node=Node("Exporter", "model", "Model", inside=_SERVED),
        stores="copied",
    ),
    Stage(
        name="resolve",
        help="Find the last model that was good enough.",
        # Before this run's model is evaluated, and no input of that: it changes with every run, so nothing after it
        # would be cached.
        node=Node("LatestBlessedModel", "model", "Model", inside=_SERVED, after=("export",), lookup=True),
    ),
    Stage(
        name="evaluate",
        help="Evaluate the exported model; exit code 3 where it is outside the recipe's thresholds.",
        function="lstmlm.evaluation.run:evaluate",
        kind="evaluation",
        version=5,
        holds="`metrics.json` (`metrics`, `failures`, `warnings`, `blessed`)",
        inputs=(Input("export", "export", channel="model"), _RECORDS),
        decides=("task", "seed", "evaluation", "decoding"),
        ignores=("evaluation.against",),  # where it is; its content is a part of the fingerprint
        outside=("lstmlm.evaluation.against:against_fingerprint", _DECODING),
        node=Node("Evaluator", "evaluation", "Evaluation", after=("resolve",)),
        stores="copied",
    ),
    Stage(
        name="judge",
        help="Say how well texts of a language model are distinguished from real ones, and rerank samples by that.",
        function="lstmlm.evaluation.judge.run:judge",
        kind="judge",
        version=1,
        holds="`judge.json`, `head.npz`, `samples.jsonl`",
        inputs=(Input("export", "export"), _RECORDS),
        decides=("task", "seed", "evaluation", "decoding"),
        ignores=("evaluation.thresholds", "evaluation.against", "evaluation.language", "evaluation.cache"),
    ),
    Stage(
        name="push",
        help="Copy a model that is good enough to where it is served from.",
        holds="the export folder, copied",
        inputs=(Input("model", "export"), Input("blessing", "evaluate")),
        node=Node("Pusher", "pushed_model", "PushedModel"),
    ),
    Stage(
        name="infer",
        help="Decode a batch of texts.",
        function="lstmlm.inference.run:infer",
        kind="predictions",
        version=6,
        holds="`predictions-00000-of-00002.jsonl` (or in another `inference.format`), `dead_letters.jsonl`",
        inputs=(
            Input("export", "export", handed_by="push", channel="pushed_model"),
            Input("records", "ingest", optional=True),
        ),
        decides=("task", "seed", "inference.shards", "inference.format", "decoding"),
        reads=("inference",),  # where the input is, and what its columns are called
        outside=("lstmlm.inference.input.inputs:chosen_fingerprint", _DECODING),
        beam=True,
        node=Node("Inference", "predictions", "Predictions"),
        stores="streamed",
    ),
    Stage(
        name="score",
        help="Say how likely the model finds given texts.",
        function="lstmlm.inference.scores:score_texts",
        kind="scores",
        version=3,
        holds="`scores.jsonl`, `dead_letters.jsonl`",
        inputs=(Input("export", "export"),),
        decides=("inference.max_dead_fraction", "decoding.backend", "decoding.precision"),
        stores="streamed",
    ),
)

STAGES: dict[str, Stage] = {stage.name: stage for stage in _ROWS}
"""Stage by name, in an order they can run in."""
