"""The formats of this package, a module each, which has the name of the format and its `FORMAT`."""
