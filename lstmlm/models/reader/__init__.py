"""The model that finds the answer to a question in a passage."""
