"""Finds records that are exact or near copies of earlier ones."""
