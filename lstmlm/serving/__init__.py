"""Serves a model over HTTP: requests join the running batch of the engine. See docs/serving.md."""
