"""One event's way through every function, from X-Ray or the local collector; and the map of all."""
