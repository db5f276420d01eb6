"""The network side: routes, the path of one call, the process."""
