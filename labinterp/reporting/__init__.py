"""The document made of an interpretation: one view in plain words, several ways to draw it.

`view.build` decides what is said and in which order; the renderers only decide how it looks.
"""
