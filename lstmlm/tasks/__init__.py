"""The tasks: one module each, with a `TASK`. See `lstmlm.task.Task`."""
