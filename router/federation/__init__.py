"""The vocabulary of the Federation specification: directives, links, field sets, the join spec."""
