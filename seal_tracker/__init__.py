"""Backend of an electronic positioning seal system for customs supervision."""

__all__ = ["__version__"]

__version__ = "0.1.0"
