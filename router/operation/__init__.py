"""Client document -> validated, normalised operation."""
