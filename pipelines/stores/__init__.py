"""What TFX needs to run a pipeline whose artifacts are in an object store."""
