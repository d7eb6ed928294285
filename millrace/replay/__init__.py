"""Do again what was done: rebuild a projection, replay the archive, republish an outbox."""
