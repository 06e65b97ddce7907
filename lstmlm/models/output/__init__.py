"""The layer from hidden vectors to the probabilities of tokens, and its cross-entropy."""
