"""Corpora: reads raw files, cleans and splits their rows, and writes records in shards."""
