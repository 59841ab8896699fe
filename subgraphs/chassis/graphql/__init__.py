"""The schema of a service and how it is answered: Strawberry, with limits, loaders and errors of one shape."""
