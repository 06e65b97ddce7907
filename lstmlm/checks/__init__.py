"""Checks of a recipe before any work."""
