"""The only starter of processes in the product: runs ffmpeg, watches it, says how it ended.

Nothing outside this room creates a process; nothing in it knows what ffmpeg is asked to do.
"""
