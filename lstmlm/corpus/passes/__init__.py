"""The three passes over a corpus: ranges to parts, keys to copies, parts to shards."""
