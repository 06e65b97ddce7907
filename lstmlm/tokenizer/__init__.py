"""The vocabulary in use: text to token ids and back."""

from lstmlm.tokenizer.tokenizer import JSON_FILE, LABELS_FILE, MODEL_FILE, Tokenizer, stored_labels, tokenizer_file

__all__ = ["JSON_FILE", "LABELS_FILE", "MODEL_FILE", "Tokenizer", "stored_labels", "tokenizer_file"]
