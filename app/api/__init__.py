"""The HTTP API on :8081: questions, live figures, the catalogue, health."""
