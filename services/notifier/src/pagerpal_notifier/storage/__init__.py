"""The rows of the notification schema. Every function takes the caller's transaction and never commits."""
