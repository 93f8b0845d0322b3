"""Vision Transformers: loading, attention pooled over heads, classification from some of the tokens."""
