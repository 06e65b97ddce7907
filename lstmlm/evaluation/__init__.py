"""Evaluates an exported model and decides whether it may be pushed. One module for each group of metrics."""
