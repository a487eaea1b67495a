"""The names by which our actors are found on a cluster. Imports nothing, Ray least of all."""

NAMESPACE = "ffrtmp"
SCHEDULER = "scheduler"
SCHEDULERS = (SCHEDULER, "scheduler-2")
"""One of the two leads, the other one stands by to follow it; which of them, changes with time."""
