"""The names by which our actors are found on a cluster. Imports nothing, Ray least of all."""

NAMESPACE = "ffrtmp"
SCHEDULER = "scheduler"
