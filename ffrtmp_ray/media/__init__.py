"""Media work: what a task does with FFmpeg. Knows no Ray, no queue and no database."""
