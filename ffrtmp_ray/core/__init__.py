"""The engine: which task runs where, and what state every job is in.

Pure: no Ray, no IO, no clock, no randomness, no logging. Time and ids come in with events.
"""
