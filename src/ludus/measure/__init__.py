"""Measures: policies, populations and answers turned into numbers that say how they were made."""
