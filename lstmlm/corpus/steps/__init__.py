"""The steps that clean a corpus: pure functions from block to block."""
