"""What a line does by itself and can be turned off: (name, title, what follows)."""

SWITCHES = [
    (
        "auto_typing",
        "Show that we are typing",
        "Customers see three dots while somebody here writes.",
    ),
    (
        "sends_read_receipts",
        "Send read receipts",
        "When a person opens the conversation, not when a program reads it.",
    ),
    (
        "shares_card",
        "Share the contact card by itself",
        "With our first message to somebody, once a day while they write with us, and when the card has changed. "
        "iMessage only.",
    ),
]
TITLES = {name: title for name, title, _ in SWITCHES}
