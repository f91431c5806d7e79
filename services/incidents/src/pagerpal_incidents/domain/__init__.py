"""What may become of an incident. Nothing here does I/O or asks for the time."""
