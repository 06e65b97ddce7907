"""SentencePiece as a backend of `Tokenizer`, in Python and in a TensorFlow graph."""
