"""What is unusual, how sure that is, and in words: a core without I/O, and a part that reads along and tells once."""
