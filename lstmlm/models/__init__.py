"""The networks, written with plain TensorFlow: the cell, attention, the language model, the pair model."""
