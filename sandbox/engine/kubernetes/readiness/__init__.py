"""When an object counts as ready, what is shown until then and what is said when it does not get there."""
