"""Query plan -> merged data and errors."""
