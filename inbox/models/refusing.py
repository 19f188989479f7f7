from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """What the rules do not allow, as a sentence for a person; `number` is the V3 error code for a program.
    `until` is when a limit lets the same through."""

    def __init__(self, number, sentence, *, until=None):
        super().__init__(sentence, code=str(number))
        self.number, self.sentence, self.until = number, sentence, until
