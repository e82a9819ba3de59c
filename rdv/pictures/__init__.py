"""An office's week, drawn: in a terminal, as SVG, as a page. Values in, text out; nothing from the network."""
