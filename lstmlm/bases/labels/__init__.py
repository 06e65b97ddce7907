"""Labels of texts and of words: how they are read from a row, and how words and spans become each other."""
