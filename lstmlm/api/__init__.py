"""The Python interface: what `import lstmlm` offers, see docs/python.md."""
