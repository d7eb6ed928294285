"""How an environment is, at a glance: what an on-call engineer opens first."""
