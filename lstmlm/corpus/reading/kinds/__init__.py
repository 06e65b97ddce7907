"""The readers of this package, a module each, which has the name of the reader and its `READER`."""
