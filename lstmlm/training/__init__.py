"""Data-parallel training: the step, the optimizer, checkpoints, and Ray Train around them."""
