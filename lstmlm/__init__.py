"""LSTM language models from raw text to batch output: ingest, train, evaluate, publish, decode."""

__version__ = "0.1.0"
