"""The outputs of the batch job."""
