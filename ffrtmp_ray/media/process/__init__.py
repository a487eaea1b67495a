"""The only starter of ffmpeg: runs it, watches it, says how it ended.

Nothing outside this room runs ffmpeg for a job; nothing in it knows what ffmpeg is asked to do.
"""
