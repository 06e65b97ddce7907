"""Decoding of CTC outputs (Graves et al. 2006): greedy, by prefix beam search, with word times."""
