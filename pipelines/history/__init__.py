"""What ML Metadata knows of the runs of a pipeline, read without TFX."""
