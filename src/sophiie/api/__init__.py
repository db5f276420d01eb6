"""The JSON API: parse, call one function, answer. Errors are RFC 9457 problems."""
