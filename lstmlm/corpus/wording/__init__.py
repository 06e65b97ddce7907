"""Words of texts in every script, and runs of words, as hashes."""
