"""Makes the vocabulary: trains it on a sample of the train split, or adopts a given file."""
