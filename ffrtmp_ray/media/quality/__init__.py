"""How close an encode comes to what it was made of, and which crf makes it as close as wanted."""
