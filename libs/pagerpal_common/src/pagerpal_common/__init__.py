"""What the services share: words, messages, tables, the bus, HTTP plumbing and time. No service's own rules."""

VERSION = "0.1.0"
