"""Finds the files of a corpus: by name, folder or glob, locally or in a store."""
