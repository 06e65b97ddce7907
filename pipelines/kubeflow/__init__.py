"""A recipe on Kubeflow Pipelines: compiles it, and runs its steps in their containers."""
