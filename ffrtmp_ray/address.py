"""Where a farm is, unless it is said to be elsewhere."""

DEFAULT_ADDRESS = "http://127.0.0.1:8000"
"""Of a farm on this machine with its usual port."""
