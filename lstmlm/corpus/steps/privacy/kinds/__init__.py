"""The kinds of personal data: one finder each."""
