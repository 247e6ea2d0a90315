"""The gRPC server: interceptors, servicers, and the translation between protos and the domain."""
