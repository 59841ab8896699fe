"""A lean HTTP/1.1 client for subgraphs: keep-alive pools over asyncio, framing by httptools."""
