"""Device telemetry from the command line: simulated fleets, replays and charts."""
