"""Data-parallel workers: Ray around them, and sums between them."""
