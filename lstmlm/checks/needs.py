"""The inputs that a command depends on, so that they are checked before any work."""

from __future__ import annotations

CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER = "corpus", "tokenizer", "export", "inference", "earlier"
"""The corpus, a given vocabulary, what an export can hold, the input of the batch job, earlier models."""
EVERYTHING = (CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER)
