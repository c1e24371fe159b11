"""Charts: pure functions from a frame to SVG text, drawn for a given width."""
