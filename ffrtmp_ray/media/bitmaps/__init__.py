"""Subtitles that are pictures, made one film of what is to be seen of them: taken out once for all
chunks of a job, since what is shown at a time depends on packets before it.

`draw` is a process of its own; the rest is what it decides and computes, pure.
"""
