"""Makes the vocabulary: trained on a sample of the train split, or a given file taken over."""
