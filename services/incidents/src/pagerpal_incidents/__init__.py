"""Owns incidents: folds alerts into them, applies what people and the escalator ask, keeps the timeline."""
