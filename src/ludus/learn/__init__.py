"""Episodes in, a better policy out."""
