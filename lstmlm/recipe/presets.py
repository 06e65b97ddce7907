"""Named settings of a network and its training; fields that the recipe sets override them."""

from __future__ import annotations

from typing import Any, Literal

Preset = Literal["tiny", "small", "medium", "awd", "gnmt", "article"]

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # Trains in a minute: for trying a recipe out.
    "tiny": {
        "model": {"embedding": 64, "units": 128, "encoder_units": 64, "dropout": 0.1},
        "training": {"steps": 300, "learning_rate": 5e-3, "warmup": 30},
    },
    # One layer: the best loss within half an hour on a few cores.
    "small": {
        "model": {"embedding": 256, "units": 512, "encoder_units": 256, "dropout": 0.2},
        "training": {"steps": 3000, "learning_rate": 3e-3, "warmup": 150},
    },
    # Two wide layers: some hours on a few cores, or minutes on a GPU.
    "medium": {
        "model": {
            "embedding": 512,
            "units": 1024,
            "layers": 2,
            "encoder_units": 512,
            "encoder_layers": 2,
            "dropout": 0.3,
        },
        "training": {"steps": 20_000, "learning_rate": 2e-3, "warmup": 400, "keep_best": 3},
    },
    # The regularisation of Merity et al. (2018), for small corpora and many epochs.
    "awd": {
        "model": {
            "embedding": 400,
            "units": 1150,
            "layers": 3,
            "dropout": 0.25,
            "input_dropout": 0.4,
            "output_dropout": 0.4,
            "embedding_dropout": 0.1,
            "weight_drop": 0.5,
        },
        "training": {
            "optimizer": "nt_asgd",
            "learning_rate": 30.0,
            "schedule": "plateau",
            "decay": 0.25,
            "patience": 20,
            "warmup": 0,
            "weight_decay": 1.2e-6,
            "clip": 0.25,
            "activation_penalty": 2.0,
            "temporal_penalty": 1.0,
        },
    },
    # Deep residual layers with additive attention, after Wu et al. (2016), at an eighth of its width.
    "gnmt": {
        "model": {
            "embedding": 512,
            "units": 512,
            "layers": 4,
            "residual": True,
            "encoder_units": 256,
            "encoder_layers": 3,
            "attention": "bahdanau",
            "input_feeding": True,
            "dropout": 0.2,
        },
        "training": {"label_smoothing": 0.1, "schedule": "inverse_sqrt", "warmup": 1000, "learning_rate": 1e-3},
    },
    # The published classifier in Keras: Embedding(10_000, 128), LSTM(1024), Dense(1024), Dense(2, "softmax") over each
    # token; Adam at its constant rate, without clipping.
    "article": {
        "tokenizer": {"vocabulary": 10_000},
        "model": {"embedding": 128, "units": 1024, "dropout": 0.0},
        "training": {
            "learning_rate": 1e-3,
            "warmup": 0,
            "final_rate": 1.0,
            "clip": 1e6,
            "batch": 32,
            "metric": "accuracy",
        },
        "task_options": {"network": "article"},
    },
}
