"""What a machine can do, and how busy it is. Schedules nothing."""
