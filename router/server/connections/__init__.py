"""What a client's connection brings and takes, in bytes: HTTP/1.1 and WebSocket, within bounds."""
