"""What tasks start from: text to text, and predictions in one pass."""
