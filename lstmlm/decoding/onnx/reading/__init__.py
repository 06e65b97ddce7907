"""The reader of question answering as an ONNX graph."""
