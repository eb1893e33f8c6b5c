"""One image: calibrated, then the reader's calipers and the network's outlines on it, in millimetres (`read`)."""
