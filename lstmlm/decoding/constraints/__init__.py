"""Forbidden and forced words while decoding."""
