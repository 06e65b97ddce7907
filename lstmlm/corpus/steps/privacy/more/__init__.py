"""Kinds of personal data that need packages which are not a dependency: a module each, with its `KIND`."""
