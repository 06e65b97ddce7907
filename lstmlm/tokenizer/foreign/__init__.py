"""Tokenizers made elsewhere: checked in a child process, then adopted."""
