"""Backward passes by rules of relevance: the model answers as ever, its gradients follow a rule."""
