//! Features of market data: each has a name, a version and a hash of its definition, and one fold makes it from a file and from a stream.
