"""Fairwheel Cycles: the team, the customers and the last days of a bicycle shop that does not exist."""
