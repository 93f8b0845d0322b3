"""Vision Transformers: loading them, their attention, classification from some tokens."""
