"""What researchers use and a run does not need: simulator, data sets, training, evaluation."""
