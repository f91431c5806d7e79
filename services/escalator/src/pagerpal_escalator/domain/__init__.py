"""When an escalation goes on, and to where. Nothing here does I/O or asks for the time."""
