"""What the notifier decides. No clock, no await, no database: facts in, decisions out."""
