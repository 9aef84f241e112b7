"""Takes out of documents and texts what must not be handed on: secrets, and what tells whose site it is."""

from hcx_waves.redaction.redactor import Redactor, Vocabulary
from hcx_waves.redaction.secrets import blanked

__all__ = ["Redactor", "Vocabulary", "blanked"]
