"""An invented shop to begin with: for development, demonstrations and tests, never for production."""
