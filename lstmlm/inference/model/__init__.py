"""A published model, loaded and checked for decoding."""
