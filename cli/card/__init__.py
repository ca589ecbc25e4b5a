"""The model card: one HTML page about a model, for a person to read."""
