"""The mall: five services that share mechanics and no meaning."""
