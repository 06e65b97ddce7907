"""Corpora that a model writes: a teacher's outputs for a student, and sources for texts of the target side."""
