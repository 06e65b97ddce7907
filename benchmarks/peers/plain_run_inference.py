"""The peer of `lstmlm infer`: a plain Beam RunInference job on the same SavedModel.

Beam makes the batches (its default), the model pads each to its longest text and decodes until its last row has ended.
`plain_run_inference.py EXPORT INPUT OUTPUT`.
"""

from __future__ import annotations

import json
import sys

import apache_beam as beam
import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers the operations of the tokenizer
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner


class Texts(ModelHandler):
    def __init__(self, export):
        super().__init__()
        self._export = export

    def load_model(self):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        return tf.saved_model.load(self._export)

    def run_inference(self, batch, model, inference_args=None):
        seeds = tf.zeros([len(batch)], tf.int64)
        found = model.signatures["serving_default"](text=tf.constant(batch), seed=seeds)
        return [text.decode() for text in found["output"].numpy()]


def main(export, source, output):
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
        _ = (
            pipeline
            | beam.io.ReadFromText(source)
            | beam.Map(lambda line: json.loads(line)["text"])
            | RunInference(Texts(export))
            | beam.Map(json.dumps, ensure_ascii=False)
            | beam.io.WriteToText(output)
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
