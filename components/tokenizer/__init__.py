"""The component that trains the vocabulary."""
