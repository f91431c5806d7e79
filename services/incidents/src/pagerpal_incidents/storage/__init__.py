"""The rows of the incidents schema. Every function takes the caller's transaction and never commits."""
