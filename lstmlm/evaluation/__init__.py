"""Measures a published model and decides whether it may be pushed. One group of metrics a module."""
