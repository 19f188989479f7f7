"""Our lines: what they do, how they are, who is on them. Everybody sees their own; admins change them."""
