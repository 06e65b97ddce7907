"""Distinguishes generated from real text, and chooses among samples: the generator is its own judge."""
