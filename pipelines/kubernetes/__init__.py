"""Renders the objects of Kubernetes and of its operators (KubeRay, Flink) that run a recipe. Imports no TFX."""
