"""The inputs of the batch job."""
