"""checkov over the modules and over the plan of prod: `make scan`."""
