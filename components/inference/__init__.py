"""The component that decodes a batch of texts."""
