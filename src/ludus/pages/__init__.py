"""What a colleague is shown: one offline page for a run. Imports `study` only."""
