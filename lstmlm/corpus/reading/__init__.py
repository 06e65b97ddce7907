"""Rows of corpus files, in every format and compression."""
