"""What computes an exported model in the batch job: one module for each backend, with its `BACKEND`."""
