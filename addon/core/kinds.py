"""The kinds of figures and of drawing tools, by name.

They stand apart from the code that draws them, so that panels can offer them without loading it.
"""

EXACT_KINDS = ("stick", "mannequin")
"""Figures that are drawn from the skeleton alone (:func:`.figures.draw_exact`)."""

TOOLS = ("pen", "brush", "pencil", "naive", "pictogram", "ink")
"""What strokes are drawn with (:data:`.styles.PRESETS`)."""

PLAIN, RANDOM = "plain", "random"
"""Beside the tools: a thin even line, and any tool."""
