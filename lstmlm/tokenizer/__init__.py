"""The vocabulary: trained on the train split or given, and text to token ids and back."""

from lstmlm.tokenizer.stage import KIND, TOKENIZER_VERSION, train_tokenizer
from lstmlm.tokenizer.tokenizer import JSON_FILE, MODEL_FILE, Tokenizer, tokenizer_file

__all__ = ["JSON_FILE", "KIND", "MODEL_FILE", "TOKENIZER_VERSION", "Tokenizer", "tokenizer_file", "train_tokenizer"]
