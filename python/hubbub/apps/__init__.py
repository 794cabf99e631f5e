"""The bundled applications; none knows of another."""
