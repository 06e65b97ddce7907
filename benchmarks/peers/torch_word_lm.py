"""The peer of the row `wikitext2` of `benchmarks/train.py`: a word-level language model in plain PyTorch.

The design of PyTorch's word-language-model example: two LSTM layers of 200, tied embeddings, dropout 0.2, a full
softmax over every word of the files, plain SGD whose rate of 20 is divided by 4 after an epoch that made valid no
better, gradients clipped at 0.25, 20 streams read 35 words at a time, every end of line the word <eos>. Lines without a
word are left out, as on our side. Trains for so many minutes, evaluations apart, evaluates valid in full after every
epoch and at the end, and prints the best perplexity found in a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import nn

EOS = "<eos>"
UNITS, LAYERS, DROPOUT = 200, 2, 0.2
RATE, DIVISOR, CLIP = 20.0, 4.0, 0.25
STREAMS, WINDOW, STREAMS_EVALUATED = 20, 35, 10
IGNORED = -100


class Network(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.drop = nn.Dropout(DROPOUT)
        self.embedding = nn.Embedding(vocabulary, UNITS)
        self.lstm = nn.LSTM(UNITS, UNITS, LAYERS, dropout=DROPOUT)
        self.output = nn.Linear(UNITS, vocabulary)
        self.output.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)

    def forward(self, ids, state):
        values, state = self.lstm(self.drop(self.embedding(ids)), state)
        return self.output(self.drop(values)).flatten(0, 1), state


def words_of(path):
    """Returns the words of a file, each line closed by <eos>, after the <eos> that they begin behind."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [EOS, *(word for line in lines if line for word in (*line, EOS))]


def as_streams(ids, count):
    """Cuts a text into streams side by side: inputs and targets, each [length, count]; what is filled up is ignored."""
    inputs, targets = ids[:-1], ids[1:]
    length = -(-len(targets) // count)
    shortage = length * count - len(targets)
    inputs = torch.cat([inputs, inputs.new_zeros(shortage)])
    targets = torch.cat([targets, targets.new_full([shortage], IGNORED)])
    return inputs.view(count, length).t().contiguous(), targets.view(count, length).t().contiguous()


def windows(streams):
    inputs, targets = streams
    for start in range(0, len(inputs), WINDOW):
        yield inputs[start : start + WINDOW], targets[start : start + WINDOW].flatten()


def evaluate(network, streams):
    """Returns the perplexity of a text, and of how many words."""
    network.eval()
    nats, words, state = 0.0, 0, None
    with torch.inference_mode():
        for inputs, targets in windows(streams):
            logits, state = network(inputs, state)
            nats += nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORED).item()
            words += int((targets != IGNORED).sum())
    network.train()
    return math.exp(min(nats / words, 700.0)), words


class Training:
    """Trains until the time is up.

    Attributes:
        seconds: Spent on training.
        words: Read in it.
    """

    def __init__(self, network, train, seconds):
        self.network, self.train, self.allowed = network, train, seconds
        self.seconds, self.words = 0.0, 0

    @property
    def over(self):
        return self.seconds >= self.allowed

    def epoch(self, rate):
        """Reads the text once, or as far as the time goes."""
        state, parameters = None, list(self.network.parameters())
        before, started = self.seconds, time.perf_counter()
        for inputs, targets in windows(self.train):
            self.network.zero_grad()
            logits, state = self.network(inputs, state)
            nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED).backward()
            nn.utils.clip_grad_norm_(parameters, CLIP)
            with torch.no_grad():
                for parameter in parameters:
                    parameter.add_(parameter.grad, alpha=-rate)
            state = tuple(part.detach() for part in state)
            self.words += len(targets)
            self.seconds = before + time.perf_counter() - started
            if self.over:
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="Folder with train.txt and valid.txt.")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    texts = {split: words_of(arguments.corpus / f"{split}.txt") for split in ("train", "valid")}
    numbers = {word: n for n, word in enumerate(dict.fromkeys(texts["train"] + texts["valid"]))}
    ids = {split: torch.tensor([numbers[word] for word in words]) for split, words in texts.items()}
    valid, network = as_streams(ids["valid"], STREAMS_EVALUATED), Network(len(numbers))
    training = Training(network, as_streams(ids["train"], STREAMS), 60 * arguments.minutes)
    best, rate = math.inf, RATE
    while not training.over:
        training.epoch(rate)
        found, words = evaluate(network, valid)
        if found < best:
            best = found
        else:
            rate /= DIVISOR
        print(f"{training.seconds / 60:.1f} minutes: perplexity {found:.1f}", flush=True)
    result = {
        "perplexity": best,
        "words": words,
        "tokens_per_second": training.words / training.seconds,
        "minutes": training.seconds / 60,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
