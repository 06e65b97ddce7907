"""Beam search, greedy search and sampling in the engine's slots."""
