"""Networks as Keras has them: their weights in a `.keras` file, and back."""
