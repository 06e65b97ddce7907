"""What the library `datasets` of Hugging Face saves: names of classes, and Arrow files."""
