"""ML Metadata of a recipe's runs: where it is kept, and what it says of a run."""
