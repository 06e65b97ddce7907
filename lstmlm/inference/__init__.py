"""Decodes batches of text with a published model, as a Beam job."""
