"""The component that evaluates the exported model."""
