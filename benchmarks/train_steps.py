"""Times training steps of one worker on random tokens; `benchmarks/train.py` runs it. Prints one line of JSON.

The steps are those of a real run: `lstmlm.training.loop.Loop` with the state carried on, Adam, clipping and dropout.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.training.loop import Loop
    from lstmlm.training.workers.all_reduce import AllReduce


def parse() -> argparse.Namespace:
    """Reads the arguments, which are the same for the peer's script."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (
        ("threads", 1),
        ("layers", 2),
        ("units", 512),
        ("vocabulary", 8000),
        ("batch", 32),
        ("window", 35),
        ("steps", 20),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--softmax", choices=["full", "adaptive"], default="full")
    parser.add_argument("--gpu", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measures and prints."""
    arguments = parse()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    loop, parameters = build(arguments)
    times = step_seconds(loop, token_batches(arguments), arguments.steps)
    result = {
        "tokens_per_second": arguments.batch * arguments.window / statistics.median(times),
        "peak_mb": peak_megabytes(arguments.gpu),
        "parameters": parameters,
    }
    print(json.dumps(result))


def build(arguments: argparse.Namespace) -> tuple[Loop, int]:
    """Returns the training loop of a worker, and how many parameters its model has."""
    import tensorflow as tf

    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.recipe.sections.corpus import CorpusSection
    from lstmlm.recipe.sections.examples import ExamplesSection
    from lstmlm.recipe.sections.model import ModelSection
    from lstmlm.recipe.sections.training import TrainingSection
    from lstmlm.training.loop import Loop, summed_room
    from lstmlm.training.optimizer import make_optimizer
    from lstmlm.training.workers.carried import CarriedState
    from lstmlm.training.workers.gpu import use_gpu
    from lstmlm.training.workers.shared_memory import through_memory

    ring = ring_or_single(arguments.gpu)  # before anything is computed
    units, batch = arguments.units, arguments.batch
    recipe = Recipe(
        name="bench",
        task="generate",
        corpus=CorpusSection(train="none"),
        examples=ExamplesSection(window=arguments.window),
        model=ModelSection(
            embedding=units,
            units=units,
            layers=arguments.layers,
            dropout=arguments.dropout,
            softmax=arguments.softmax,
        ),
        training=TrainingSection(batch=batch, precision=arguments.precision, steps=1000),
    )
    model = LanguageModel(recipe.model, arguments.vocabulary, 1, tf.as_dtype(arguments.precision))
    optimizer = make_optimizer(model.named_variables(), recipe.training)
    if arguments.gpu:
        use_gpu(model)
    group = ring if arguments.gpu else through_memory(ring, summed_room(model.trainable_variables), timeout=120)
    loop = Loop(
        model,
        optimizer,
        None,
        CarriedState(model, batch, group),
        recipe,
        group,
        {"tokens": tf.TensorSpec([None, None], tf.int32)},
    )
    return loop, sum(variable.shape.num_elements() for variable in model.trainable_variables)


def peak_megabytes(gpu: bool) -> float:
    """Returns the most memory the process has had: the GPU's, or the machine's."""
    import tensorflow as tf

    if gpu:
        return float(tf.config.experimental.get_memory_info("GPU:0")["peak"]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def ring_or_single(gpu: bool) -> AllReduce:
    """Returns the workers of TF_CONFIG, which share a batch, or the one there is without it."""
    from lstmlm.training.workers.all_reduce import Ring, SingleWorker

    if "TF_CONFIG" not in os.environ:
        return SingleWorker()
    place = json.loads(os.environ["TF_CONFIG"])
    return Ring(place["task"]["index"], len(place["cluster"]["worker"]), timeout=120, gpu=gpu)


def token_batches(arguments: argparse.Namespace) -> list[dict[str, tf.Tensor]]:
    """Returns batches of random tokens, whose frequencies fall as in text: an adaptive softmax lives on that."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shape = [arguments.batch, arguments.window + 1]
    draws = (rng.zipf(1.2, shape) % (arguments.vocabulary - 1) + 1 for _ in range(4))
    return [{"tokens": tf.constant(tokens, tf.int32)} for tokens in draws]


def step_seconds(loop: Loop, batches: list[dict[str, tf.Tensor]], count: int) -> list[float]:
    """Returns the seconds of so many steps, after some that are not counted."""
    for step in range(1, 4):
        loop.train(batches[0], step, 1e-3, fresh=step == 1)
    times = []
    for step in range(count):
        started = time.perf_counter()
        loop.train(batches[step % 4], step + 4, 1e-3, fresh=False)
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
