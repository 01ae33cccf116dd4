"""Files that a business keeps its knowledge in, as documents: JSON lines, Markdown, HTML, Word, PDF.

Each format becomes headings and text (``outline``), those become sections, and sections become documents.
A fault is an ``InvalidRequest`` whose message names the file, the place and the remedy.
"""
