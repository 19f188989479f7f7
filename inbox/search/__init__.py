"""Finding what was said, by whom, and where: question (what was typed), meaning (whom and what it names), messages,
people, numbers (what is pasted), highlights (what is marked)."""
