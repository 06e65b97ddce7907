"""Vocabularies as `tokenizer.json`, with the ids of this project."""
