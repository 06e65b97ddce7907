"""The engine's backend on onnxruntime, and the graphs it runs."""
