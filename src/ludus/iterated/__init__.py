"""Long repeated games: strategies as small machines, matches in compiled loops, exact long-run payoffs."""
