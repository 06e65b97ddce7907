"""The component that reads the corpus into records."""
