"""What a task of speech is made of: options, rows, examples, the served graph, the predictor, metrics."""
