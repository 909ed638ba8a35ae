"""The producer REST service: what it acknowledges, Kafka has acknowledged."""
