"""Times training steps of one worker on random tokens; `benchmarks/train.py` runs it. Prints one line of JSON.

The steps are those of a real run: `lstmlm.training.loop.Loop` with the state carried on, Adam, clipping and dropout.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time


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
    return parser.parse_args()


def main() -> None:
    """Measures and prints."""
    arguments = parse()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np
    import tensorflow as tf

    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe import Examples, Model, Recipe, Training
    from lstmlm.recipe_corpus import Corpus
    from lstmlm.training.all_reduce import AllReduce, Alone, Ring
    from lstmlm.training.carried import CarriedState
    from lstmlm.training.loop import Loop, count_summed
    from lstmlm.training.optimizer import make_optimizer
    from lstmlm.training.shared_memory import through_memory

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    sizes = Model(
        embedding=arguments.units,
        units=arguments.units,
        layers=arguments.layers,
        dropout=arguments.dropout,
        softmax=arguments.softmax,
    )
    recipe = Recipe(
        name="bench",
        task="generate",
        corpus=Corpus(train="none"),
        examples=Examples(window=arguments.window),
        model=sizes,
        training=Training(batch=arguments.batch, precision=arguments.precision, steps=1000),
    )
    if "TF_CONFIG" in os.environ:  # one of several workers, which share the batch
        place = json.loads(os.environ["TF_CONFIG"])
        group: AllReduce = Ring(place["task"]["index"], len(place["cluster"]["worker"]), timeout=120, gpu=False)
    else:
        group = Alone()
    model = LanguageModel(sizes, arguments.vocabulary, 1, tf.as_dtype(arguments.precision))
    optimizer = make_optimizer(model.named_variables(), recipe.training)
    group = through_memory(group, count_summed(model.trainable_variables), timeout=120)
    carried = CarriedState(model, arguments.batch, group)
    loop = Loop(model, optimizer, None, carried, recipe, group, ["tokens"])
    rng = np.random.default_rng(0)
    shape = [arguments.batch, arguments.window + 1]
    # Frequencies fall as they do in text, which an adaptive softmax lives on.
    batches = [
        {"tokens": tf.constant(rng.zipf(1.2, shape) % (arguments.vocabulary - 1) + 1, tf.int32)} for _ in range(4)
    ]
    for step in range(1, 4):
        loop.train(batches[0], step, 1e-3, fresh=step == 1)
    times = []
    for step in range(arguments.steps):
        started = time.perf_counter()
        loop.train(batches[step % 4], step + 4, 1e-3, fresh=False)
        times.append(time.perf_counter() - started)
    tokens = arguments.batch * arguments.window
    result = {
        "tokens_per_second": tokens / float(np.median(times)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "parameters": sum(variable.shape.num_elements() for variable in model.trainable_variables),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
