"""The sets of quality rules of this package: one module each, with its `RULES`."""
