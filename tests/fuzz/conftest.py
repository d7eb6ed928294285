"""How often each decoder is tried: MILLRACE_FUZZ_RUNS times, whatever the machine."""

import os

from hypothesis import HealthCheck, settings

RUNS = int(os.environ.get("MILLRACE_FUZZ_RUNS", "5000"))

settings.register_profile(
    "fuzz", max_examples=RUNS, deadline=None, suppress_health_check=list(HealthCheck)
)
