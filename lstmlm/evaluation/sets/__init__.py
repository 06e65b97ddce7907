"""Test sets: any files that an exported model is evaluated on, and the comparison of two models."""
