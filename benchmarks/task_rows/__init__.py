"""The rows of `benchmarks/tasks.py`: one module for each task, with a function `rows(quick)`."""
