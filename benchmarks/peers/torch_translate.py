"""The peer of the row `translate` of `benchmarks/train.py`: a plain PyTorch attention model, in float32.

A bidirectional LSTM encoder of 2 x 256, a decoder LSTM of 512 with Luong's general attention, embeddings of 256 tied
between source, target and output, Adam at 1e-3, dropout, batches of 64 pairs of like length. Reads a .json of token ids
(`train`: pairs, `valid`: sources, each closed by *end*), trains for so many minutes, decodes the sources greedily,
writes their ids as .json, and prints a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD, BEGIN, END = 0, 2, 3
WIDTH, ENCODED, UNITS = 256, 256, 512
RATE, DROPOUT, CLIP, BATCH = 1e-3, 0.1, 1.0, 64
POOL = 100
"""Batches that are sorted together by length."""


class Network(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.drop = nn.Dropout(DROPOUT)
        self.embedding = nn.Embedding(vocabulary, WIDTH, padding_idx=PAD)
        self.encoder = nn.LSTM(WIDTH, ENCODED, bidirectional=True, batch_first=True)
        self.bridge = nn.Linear(2 * ENCODED, 2 * UNITS)
        self.decoder = nn.LSTM(WIDTH, UNITS, batch_first=True)
        self.score = nn.Linear(2 * ENCODED, UNITS, bias=False)
        self.combine = nn.Linear(2 * ENCODED + UNITS, WIDTH)
        self.output = nn.Linear(WIDTH, vocabulary)
        self.output.weight = self.embedding.weight
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        nn.init.zeros_(self.output.bias)

    def encode(self, ids):
        """Returns the decoder's first state, and the memory: keys, values and what keeps padding out."""
        lengths = (ids != PAD).sum(dim=1)
        packed = pack_padded_sequence(self.drop(self.embedding(ids)), lengths, batch_first=True, enforce_sorted=False)
        outputs, (last, _) = self.encoder(packed)
        values = self.drop(pad_packed_sequence(outputs, batch_first=True)[0])
        h, c = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1))).chunk(2, dim=1)
        state = h[None].contiguous(), c[None].contiguous()
        bias = torch.where(ids == PAD, -1e9, 0.0)[:, None]
        return state, (self.score(values), values, bias)

    def decode(self, ids, state, memory):
        """Returns the logits behind each of the ids, [rows, length, vocabulary], and the state."""
        keys, values, bias = memory
        hidden, state = self.decoder(self.drop(self.embedding(ids)), state)
        context = torch.softmax(hidden @ keys.transpose(1, 2) + bias, dim=-1) @ values
        return self.output(self.drop(torch.tanh(self.combine(torch.cat([context, hidden], dim=-1))))), state


def padded(rows):
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)


def batches(pairs, rng):
    """Yields batches without end: the pairs are shuffled, and those of a pool sorted by length."""
    while True:
        rng.shuffle(pairs)
        for start in range(0, len(pairs), BATCH * POOL):
            pool = sorted(pairs[start : start + BATCH * POOL], key=lambda pair: (len(pair[1]), len(pair[0])))
            chunks = [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
            rng.shuffle(chunks)
            yield from chunks


def train(network, pairs, seconds):
    """Trains until the time is up; returns the seconds, the steps and the target tokens."""
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    started, steps, tokens, spent = time.perf_counter(), 0, 0, 0.0
    for chunk in batches(pairs, random.Random(0)):
        sources, targets = padded([pair[0] for pair in chunk]), padded([[BEGIN, *pair[1]] for pair in chunk])
        optimizer.zero_grad()
        state, memory = network.encode(sources)
        logits, _ = network.decode(targets[:, :-1], state, memory)
        wanted = targets[:, 1:].flatten()
        nn.functional.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=PAD).backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        steps, tokens = steps + 1, tokens + int((wanted != PAD).sum())
        spent = time.perf_counter() - started
        if spent >= seconds:
            break
    return spent, steps, tokens


def greedy(network, sources, most):
    """Returns the most likely ids of each source, token by token, up to *end* or as many as are allowed."""
    outputs = [[] for _ in sources]
    order = sorted(range(len(sources)), key=lambda n: len(sources[n]))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        state, memory = network.encode(padded([sources[n] for n in rows]))
        token, taken = torch.full([len(rows), 1], BEGIN), []
        done = torch.zeros(len(rows), dtype=torch.bool)
        while len(taken) < most and not done.all():
            logits, state = network.decode(token, state, memory)
            token = logits.argmax(dim=-1)
            taken.append(token)
            done |= token[:, 0] == END
        for row, ids in zip(rows, torch.cat(taken, dim=1).tolist(), strict=True):
            outputs[row] = ids[: ids.index(END)] if END in ids else ids
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="The .json with `train`, `valid`, `vocabulary` and `max_tokens`.")
    parser.add_argument("outputs", type=Path, help="The .json to write.")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    work = json.loads(arguments.work.read_text(encoding="utf-8"))
    network = Network(work["vocabulary"])
    seconds, steps, tokens = train(network, work["train"], 60 * arguments.minutes)
    network.eval()
    with torch.inference_mode():
        outputs = greedy(network, work["valid"], work["max_tokens"])
    arguments.outputs.write_text(json.dumps(outputs), encoding="utf-8")
    result = {
        "minutes": seconds / 60,
        "steps": steps,
        "tokens_per_second": tokens / seconds,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
