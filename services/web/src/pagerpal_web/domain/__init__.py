"""What is decided here, without a clock, without SQL and without waiting for anything."""
