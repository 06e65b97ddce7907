"""The kinds of the built-in tasks: a module each, with the task's name and a `KIND`."""
