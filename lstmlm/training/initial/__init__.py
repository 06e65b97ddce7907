"""`training.initial`: starts from an earlier model; what is taken over, and how fast each part of it learns."""
