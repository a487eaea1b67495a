"""How each kind of task is done: one module for a kind, one function `run` in it.

A step says how it ended as a value and never raises for what media, disks or users do.
"""
