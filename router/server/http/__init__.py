"""GraphQL over HTTP: from a request's head and body to what is asked, and from a result to its answer."""
