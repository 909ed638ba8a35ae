"""What one request may ask for, and how long it may take."""

from __future__ import annotations

BODY_BYTES = 4 * 1024 * 1024
EVENT_BYTES = 512 * 1024
"""Half of what a topic takes: headers, and the encoding of a dead letter, must still fit."""
BATCH_EVENTS = 1_000
FAULTS_SHOWN = 100
ACK_SECONDS = 10.0
"""How long Kafka may take to acknowledge before the sender is told to try again."""
RETRY_AFTER_SECONDS = 2
QUEUE_MESSAGES = 100_000
FLUSH_SECONDS = 10.0
