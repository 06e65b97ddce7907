"""Search over a model's next-token distributions."""
