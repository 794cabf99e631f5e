"""What all bridges to other networks have in common: rooms and people, a queue, ids, no loops."""
