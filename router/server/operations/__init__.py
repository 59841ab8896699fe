"""From a document's text to its compiled operation, once: caches, their bounds, and the threads that compile."""
