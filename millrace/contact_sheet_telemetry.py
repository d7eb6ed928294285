"""The telemetry's section of the demonstration's page."""

from millrace.demo.telemetry import Simulated
from millrace.telemetry.plot_page import figure


def section(simulated: Simulated) -> str:
    """What was sent and what became of it, and the chart of the device with the spike."""
    return f"""<section aria-labelledby="telemetry">
<h2 id="telemetry">Telemetry</h2>
<p>{simulated.sent:,} records of {simulated.devices} simulated devices: {simulated.accepted:,} \
accepted, {simulated.duplicates:,} duplicates, {simulated.broken:,} broken on purpose and
put in quarantine; all worked on {simulated.seconds:.1f} s after the last was sent.</p>
<div class="charts">
{figure(simulated.chart)}
</div>
</section>"""
