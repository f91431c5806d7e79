"""SQL, a file per resource. Every function takes the transaction, and none commits."""
