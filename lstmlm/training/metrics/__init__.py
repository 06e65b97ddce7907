"""What is measured during training, and where it is shown."""
