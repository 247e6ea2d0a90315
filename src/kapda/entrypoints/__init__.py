"""The ways in: gRPC, HTTP, the worker, the command line; and the container that joins the parts."""
