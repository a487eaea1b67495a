"""Looking into media files with PyAV, in a child process: `prober` asks, `child` answers.

Nothing outside `child` and what it imports may import PyAV: a broken file can crash it.
"""
