"""Alarms: the operator's view of episodes that need a person. Pure; the pipeline stores and publishes them."""
