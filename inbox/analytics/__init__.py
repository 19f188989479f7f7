"""Numbers to steer by: kept from the messages (`rollup`), asked for by a period and a filter, opened as the rows counted."""
