"""Which titles the few letters that somebody has typed may mean, the likeliest first."""


def places_of(words, title):
    """(how good, the places of the letters that match), the lower the better; None where they do not match."""
    at = title.find(words)
    if at == 0:
        return 0, range(len(words))
    if (inside := f" {title}".find(f" {words}")) >= 0:
        return 1, range(inside, inside + len(words))
    if at > 0:
        return 2, range(at, at + len(words))
    places, after = [], 0
    for letter in words:
        place = title.find(letter, after)
        if place < 0:
            return None
        places.append(place)
        after = place + 1
    return 3, places


def pieces_of(title, places):
    """The title cut where it begins or ends to match: (text, whether it matches)."""
    places, pieces = set(places), []
    for at, letter in enumerate(title):
        matches = at in places
        if pieces and pieces[-1][1] == matches:
            pieces[-1][0] += letter
        else:
            pieces.append([letter, matches])
    return pieces


def matches(replies, words):
    """(reply, pieces of its title) for those that match by their title, or at last by what they say."""
    words, found = words.strip().lower(), []
    for reply in replies:
        # Lower case may be longer; then places in it are not places in the title.
        title = reply.title.lower()
        title = title if len(title) == len(reply.title) else reply.title
        if match := places_of(words, title):
            found.append((match[0], reply, pieces_of(reply.title, match[1])))
        elif words in reply.text.lower():
            found.append((4, reply, pieces_of(reply.title, ())))
    return [(reply, pieces) for _, reply, pieces in sorted(found, key=lambda item: item[0])]
