"""What the reference of operations cannot say: short guides, a template each, below templates/docs/guides."""

GUIDES = {
    "Start": [
        ("first-message", "First message"),
        ("keys", "Keys"),
        ("environments", "Environments"),
        ("errors", "Errors and trace_id"),
        ("sending-once", "Sending once"),
        ("guard", "What the guard holds"),
        ("services", "iMessage, RCS, SMS"),
        ("deleting", "Deleting"),
    ],
    "Webhooks": [
        ("events", "Events"),
        ("signatures", "Signatures"),
        ("retries", "Retries"),
        ("deduplication", "Deduplication"),
    ],
}
