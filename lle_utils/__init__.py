"""Small helpers behind the Low-Light Workbook's notebooks; one module a subject."""

__version__ = "0.1.0"
