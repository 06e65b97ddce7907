"""The component that judges the exported model."""
