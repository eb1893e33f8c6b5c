"""What a scanner drew and wrote into the pixels of a frame, read as numbers with their places."""
