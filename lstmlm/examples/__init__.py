"""From records to training examples, and from those to batches."""
