"""What must hold for the merged supergraph as a whole, once its parts fit."""
