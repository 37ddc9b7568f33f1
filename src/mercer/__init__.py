"""mercer: personalization for commerce and payments that can be proved before it ships."""

__version__ = "0.1.0"
