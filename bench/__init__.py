"""Benchmarks that compare, side by side in one run.

Absolute times mean little: the same machine is faster or slower by half from hour to hour. Every figure here is read
against the others of its run: contestants stay up together, and each round times them in turn, A B B A.
"""
