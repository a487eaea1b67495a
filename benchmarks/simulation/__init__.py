"""A farm with a virtual clock: what comes in, how workers fare, and what is measured of it.

The engine in it is the one that runs in production; all else is made up, from a seed.
"""
