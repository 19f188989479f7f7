"""The documentation of the API, read from its OpenAPI document: an operation that is added is documented by itself."""
