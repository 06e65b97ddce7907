"""The same steps in plain PyTorch: nn.Embedding, nn.LSTM, a tied nn.Linear, Adam, clipping. See `train_steps.py`."""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import time

import numpy as np
import torch
from torch import nn


def parse() -> argparse.Namespace:
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
    parser.add_argument("--gpu", action="store_true")
    return parser.parse_args()


class Model(nn.Module):
    """The word-language-model design of the PyTorch examples, with tied weights."""

    def __init__(self, vocabulary: int, units: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.embedding = nn.Embedding(vocabulary, units)
        self.lstm = nn.LSTM(units, units, layers, dropout=dropout)
        self.output = nn.Linear(units, vocabulary)
        self.output.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, ids: torch.Tensor, state: object) -> tuple[torch.Tensor, object]:
        values, state = self.lstm(self.drop(self.embedding(ids)), state)
        return self.output(self.drop(values)).flatten(0, 1), state


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device = "cuda" if arguments.gpu else "cpu"
    model = Model(arguments.vocabulary, arguments.units, arguments.layers, arguments.dropout).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    rng = np.random.default_rng(0)
    shape = [arguments.window + 1, arguments.batch]
    tokens = [torch.from_numpy(rng.zipf(1.2, shape) % (arguments.vocabulary - 1) + 1) for _ in range(4)]
    coarse = arguments.precision == "bfloat16"
    state, times = None, []
    for step in range(arguments.steps + 3):
        started = time.perf_counter()
        batch = tokens[step % 4].to(device)
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16) if coarse else contextlib.nullcontext():
            logits, state = model(batch[:-1], state)
        loss = criterion(logits.float(), batch[1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = tuple(part.detach() for part in state)
        loss.item()  # a GPU works asynchronously: reading the loss waits for it
        times.append(time.perf_counter() - started)
    result = {
        "tokens_per_second": arguments.batch * arguments.window / statistics.median(times[3:]),
        "peak_mb": torch.cuda.max_memory_allocated() / 1e6 if arguments.gpu else own_megabytes(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    print(json.dumps(result))


def own_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
