"""What came in, what was dropped and why, and whether the corpus can be used."""
