"""What Python allows: hand-written plans for the operations of the benchmark, and nothing around them."""
