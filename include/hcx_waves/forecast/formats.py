"""The kinds of pictures that can be drawn."""

FORMATS = (".svg", ".png", ".pdf")
