"""What tests of every service share: real servers for the length of a run."""
