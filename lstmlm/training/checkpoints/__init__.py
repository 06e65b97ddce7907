"""Checkpoints, initial weights, and averages of weights."""
