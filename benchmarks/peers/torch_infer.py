"""The peer of `benchmarks/infer.py`: the best plain PyTorch loop, in an environment of its own.

The same network and weights; batches of 64 sorted by the length of the source; a row that is done waits for its batch.
Reads `MIX METHOD` lines, answers each with a JSON line.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.infer_work import BEGIN, load

warnings.filterwarnings("ignore")
BATCH, BEAM = 64, 5


def gates(array):
    """Our gates i, f, o, g in PyTorch's order i, f, g, o, output channels first."""
    i, f, o, g = torch.from_numpy(array).chunk(4, dim=-1)
    return torch.cat([i, f, g, o], dim=-1).T.contiguous()


class Network(nn.Module):
    def __init__(self, weights):
        super().__init__()
        table = torch.from_numpy(weights["embedding/table"])
        vocabulary, width = table.shape
        units, encoded = weights["decoder_0/recurrent"].shape[0], weights["encoder_0_forward/recurrent"].shape[0]
        self.embedding = nn.Embedding(vocabulary, width)
        self.encoder = nn.LSTM(width, encoded, bidirectional=True, batch_first=True)
        self.bridge = nn.Linear(2 * encoded, 2 * units)
        self.cell = nn.LSTMCell(width, units)
        self.score = nn.Linear(2 * encoded, units, bias=False)
        self.combine = nn.Linear(2 * encoded + units, width)
        self.output = nn.Linear(width, vocabulary)
        linears = {"bridge": self.bridge, "attention_combine": self.combine}
        with torch.no_grad():
            self.embedding.weight.copy_(table)
            self.output.weight.copy_(table)
            self.output.bias.copy_(torch.from_numpy(weights["embedding/bias"]))
            self.score.weight.copy_(torch.from_numpy(weights["attention/score"]).T)
            for name, linear in linears.items():
                linear.weight.copy_(torch.from_numpy(weights[f"{name}/kernel"]).T)
                linear.bias.copy_(torch.from_numpy(weights[f"{name}/bias"]))
            for suffix, way in (("", "forward"), ("_reverse", "backward")):
                self._fill(self.encoder, f"_l0{suffix}", weights, f"encoder_0_{way}")
            self._fill(self.cell, "", weights, "decoder_0")

    @staticmethod
    def _fill(layer, suffix, weights, name):
        getattr(layer, f"weight_ih{suffix}").copy_(gates(weights[f"{name}/kernel"]))
        getattr(layer, f"weight_hh{suffix}").copy_(gates(weights[f"{name}/recurrent"]))
        getattr(layer, f"bias_ih{suffix}").copy_(gates(weights[f"{name}/bias"][None])[:, 0])
        getattr(layer, f"bias_hh{suffix}").zero_()

    def encode(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
        outputs, (last, _) = self.encoder(packed)
        values, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
        h, c = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1))).chunk(2, dim=1)
        bias = torch.where(torch.arange(values.shape[1])[None] < lengths[:, None], 0.0, -1e9)
        return h.contiguous(), c.contiguous(), self.score(values), values, bias.to(values.dtype)[:, None]

    def step(self, token, h, c, keys, values, bias):
        """Hypotheses of a record are adjacent and share its memory, as ours do."""
        h, c = self.cell(self.embedding(token), (h, c))
        queries = h.view(keys.shape[0], -1, h.shape[1])
        attention = torch.softmax(queries @ keys.transpose(1, 2) + bias, dim=-1)
        context = (attention @ values).view(len(token), -1)
        return self.output(torch.tanh(self.combine(torch.cat([context, h], dim=1)))), h, c


def batches(sources, limits):
    order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        ids = nn.utils.rnn.pad_sequence([torch.tensor(sources[n]) for n in rows], batch_first=True)
        yield rows, ids, torch.tensor([len(sources[n]) for n in rows]), [limits[n] for n in rows]


def greedy(network, sources, limits):
    outputs = [[] for _ in sources]
    for rows, ids, lengths, wanted in batches(sources, limits):
        h, c, *memory = network.encode(ids, lengths)
        token, taken = torch.full([len(rows)], BEGIN), []
        for _ in range(max(wanted)):
            logits, h, c = network.step(token, h, c, *memory)
            token = logits.argmax(dim=1)
            taken.append(token)
        for row, text, limit in zip(rows, torch.stack(taken, dim=1).tolist(), wanted, strict=True):
            outputs[row] = text[:limit]
    return outputs


def beam(network, sources, limits):
    outputs = [[] for _ in sources]
    for rows, ids, lengths, wanted in batches(sources, limits):
        h, c, *memory = network.encode(ids, lengths)
        h, c = (state.repeat_interleave(BEAM, dim=0) for state in (h, c))
        token = torch.full([len(rows) * BEAM], BEGIN)
        scores = torch.full([len(rows), BEAM], -1e9)
        scores[:, 0] = 0
        texts = torch.zeros([len(rows), BEAM, max(wanted)], dtype=torch.long)
        for place in range(max(wanted)):
            logits, h, c = network.step(token, h, c, *memory)
            # Candidates of every row first: cheaper than one choice among beam * vocabulary.
            values, tokens = logits.topk(BEAM, dim=1)
            total = values.float() - torch.logsumexp(logits.float(), dim=1, keepdim=True)
            total = (scores.view(-1, 1) + total).view(len(rows), -1)
            scores, chosen = total.topk(BEAM, dim=1)
            parents = chosen // BEAM
            token = tokens.view(len(rows), -1).gather(1, chosen).view(-1)
            flat = (torch.arange(len(rows))[:, None] * BEAM + parents).view(-1)
            h, c = h.index_select(0, flat), c.index_select(0, flat)
            texts = texts.view(-1, texts.shape[2]).index_select(0, flat).view(texts.shape)
            texts[:, :, place] = token.view(len(rows), BEAM)
            for n in [n for n, limit in enumerate(wanted) if limit == place + 1]:
                outputs[rows[n]] = texts[n, 0, : place + 1].tolist()
    return outputs


def prepared(network, precision):
    if precision == "bfloat16":
        return network.bfloat16()
    if precision == "int8":
        kinds = {nn.Linear, nn.LSTM, nn.LSTMCell}
        return torch.ao.quantization.quantize_dynamic(network, kinds, dtype=torch.qint8)
    return network


def main(work, precision):
    torch.set_num_threads(1)
    weights, mixes = load(Path(work))
    network = prepared(Network(weights).eval(), precision)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        mix, method = line.split()
        with torch.inference_mode():
            started = time.process_time()
            outputs = {"greedy": greedy, "beam": beam}[method](network, *mixes[mix])
            seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "tokens": sum(map(len, outputs)), "first": outputs[::37]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
