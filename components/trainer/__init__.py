"""The component that trains the model on Ray."""
