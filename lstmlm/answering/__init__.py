"""Question answering around the model: from rows to examples, and from texts to answers."""
