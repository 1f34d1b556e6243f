"""labinterp: interpretation support for laboratory panels of patients who twitch."""

__version__ = "0.1.0"
