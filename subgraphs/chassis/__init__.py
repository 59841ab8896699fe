"""What every service stands on: settings, ASGI app, database and bus lifecycles, auth context, health."""
