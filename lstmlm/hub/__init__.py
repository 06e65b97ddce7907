"""Models in the folder form of the Hugging Face hub: written from an export, and made an export again."""
