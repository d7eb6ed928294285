"""The demonstration: `pictures` through the pipeline, `orders` through the shop, `telemetry`.

What is shown is read back: from the manifests, the traces, the HTTP API, the bus and the e-mails.
"""

from millrace.demo.pictures import PHOTOS, Shown, Step, photos, run, steps

__all__ = ["PHOTOS", "Shown", "Step", "photos", "run", "steps"]
