"""A recipe as a TFX pipeline, and what runs it."""
