"""Where media lies: allowed roots, the workspace of unfinished work, publishing.

Knows paths, never what is in a file.
"""
