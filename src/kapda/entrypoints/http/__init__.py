"""Plain HTTP: the webhook shim, and what every process says about its health."""
