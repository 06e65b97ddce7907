"""Formats of foreign files, read within bounds and without running code: npz, Arrow, YAML."""
