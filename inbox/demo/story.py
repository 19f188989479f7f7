"""What was said. A line of talk is (how long ago, who, what[, how it went]); the first of each chat is the oldest.

How long ago: `4d2h`, `35m`. Who: a customer's or a colleague's key. What: words, or `photo:`, `pdf:`, `voice:`, `video:` or
`contact:` and a file's name. How it went, for what we wrote: `read` where the phone tells of it, else `delivered`, `sent` or `failed`.
"""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Talk:
    line: str
    people: tuple[str, ...]
    said: list[tuple]
    assignee: str = ""
    closed_by: str = ""
    # How many of the last messages nobody has seen.
    unread: int = 0
    # (how long ago, who, which of `doings.DOINGS`, with what[, the beginning of the message that it was done to])
    done: list[tuple] = field(default_factory=list)
    # Beginning of a message -> beginning of the one that it answers, and -> the effect that it was sent with.
    answers: dict = field(default_factory=dict)
    effects: dict = field(default_factory=dict)

    @property
    def founders(self):
        """Who is in it from the beginning."""
        added = {doing[3] for doing in self.done if doing[2] == "add"}
        return [key for key in self.people if key not in added]


@dataclass(frozen=True)
class Said:
    ago: timedelta
    by: str
    what: str
    fate: str = field(default="read")


@dataclass(frozen=True)
class Doing:
    ago: timedelta
    by: str
    kind: str
    what: str
    about: str = ""


def told_of(talk):
    """All that was said and done, in its order."""
    done = [Doing(ago_of(line[0]), *line[1:]) for line in talk.done]
    return sorted([*said_of(talk), *done], key=lambda told: told.ago, reverse=True)


def said_of(talk):
    return [Said(ago_of(line[0]), *line[1:]) for line in talk.said]


def ago_of(text):
    units = {"d": 1440, "h": 60, "m": 1}
    minutes, number = 0, ""
    for letter in text:
        if letter.isdigit():
            number += letter
        else:
            minutes, number = minutes + int(number) * units[letter], ""
    return timedelta(minutes=minutes)


TALKS = [
    Talk(
        "Shop",
        ("nora",),
        [
            ("1d16h", "nora", "Hi! The GSD clicks under load, about once every half turn."),
            ("1d16h", "nora", "Worse on the hill up Alberta Street."),
            (
                "1d15h35m",
                "max",
                "Thanks Nora, that helps a lot. It sounds like the crank arm, and that is under warranty.",
            ),
            ("1d15h34m", "max", "Can you drop it off tomorrow before 11? We’d have it back to you by four."),
            ("1d15h20m", "nora", "Will do!"),
            ("1d15h18m", "nora", "voice:How it clicks.m4a"),
            ("40m", "ben", "Good morning! The loading bay is free, come round the back with the bike."),
            ("21m", "nora", "Just left it with Ben 🙌 I’m riding the loaner home"),
            ("21m", "nora", "One thing: is the child seat on it fine for a six-year-old? He’s 24 kg"),
            ("13m", "max", "It is, up to 27 kg. Tighten the belt until just one finger fits under it."),
            ("12m", "max", "pdf:Fitting guide.pdf"),
        ],
        assignee="max",
        done=[("14m", "max", "react", "like", "One thing: is the child seat")],
        answers={"Just left it with Ben": "Can you drop it off tomorrow"},
    ),
    Talk(
        "Rides",
        ("jonas", "sela", "amara", "kai", "elif"),
        [
            ("4d3h", "mei", "Welcome to the Sunday Gravel Crew! One message on Fridays, promise."),
            ("4d2h", "sela", "In! Bringing the new Specialized, so be gentle with me"),
            ("57m", "jonas", "Forest Park on Sunday? All of it gravel."),
            ("56m", "jonas", "photo:Leif Erikson loop.png"),
            ("55m", "jonas", "photo:Germantown Road.heic"),
            ("54m", "jonas", "video:Gravel.mp4"),
            ("53m", "jonas", "contact:Amara Diallo.vcf"),
            ("27m", "amara", "Hi all! First time with you. Will 40 mm tyres do? 🚵"),
            ("22m", "mei", "40 is just right. Start at 45 psi and let some out when it gets loose."),
            ("19m", "kai", "Thermos of chai is on me"),
            ("17m", "elif", "Then I bring the cups"),
            ("15m", "jonas", "I’ll bring two spare tubes"),
        ],
        assignee="mei",
        unread=4,
        done=[
            ("4d2h50m", "jonas", "name", "Sunday Gravel Crew"),
            ("4d1h", "mei", "react", "laugh", "In! Bringing the new Specialized"),
            (
                "56m",
                "jonas",
                "edit",
                "Forest Park on Sunday? Mostly gravel after Germantown Road.",
                "Forest Park",
            ),
            ("50m", "sela", "react", "love", "Forest Park on Sunday?"),
            ("49m", "sela", "poll", "Start at nine|Start at ten"),
            ("48m", "jonas", "vote", "Start at ten"),
            ("45m", "kai", "vote", "Start at ten"),
            ("44m", "elif", "vote", "Start at nine"),
            ("30m", "jonas", "add", "amara"),
            ("18m", "sela", "react", "🫖", "Thermos of chai"),
            ("16m", "kai", "react", "love", "Then I bring the cups"),
        ],
        answers={"40 is just right": "Hi all! First time with you"},
    ),
    Talk(
        "Workshop",
        ("luis",),
        [
            ("5d4h", "luis", "Hello, my rear wheel is out of true after a pothole. What would it cost?"),
            ("5d3h30m", "ben", "Hi Luis, 35 if no spoke is broken. Two days as things are."),
            ("5d3h", "luis", "Deal. Dropping it off tonight"),
            ("3d1h", "ben", "Two spokes are gone after all, 48 altogether. Shall we go on?"),
            ("3d", "luis", "Yes please"),
            ("1h24m", "luis", "Is my wheel ready? I’m at work till three"),
        ],
        assignee="ben",
        unread=1,
    ),
    Talk(
        "Rentals",
        ("dana",),
        [
            ("2d5h", "dana", "Two e-bikes for Saturday, is that possible? We are both about 5'8\""),
            ("2d4h40m", "mei", "It is! Two medium, with helmets. From ten o’clock, back by six."),
            ("2d4h", "dana", "Could we keep them until Sunday noon?"),
            ("1d22h", "mei", "Yes, that is the weekend rate: 110 for both."),
            ("41m", "mei", "Two e-bikes, Saturday at ten. See you then!"),
            ("38m", "dana", "❤️"),
        ],
        assignee="mei",
    ),
    Talk(
        "Shop",
        ("harriet",),
        [
            ("3d6h", "harriet", "Do you still have a Roadster in blue?"),
            (
                "3d5h30m",
                "ana",
                "Sold out, sorry. The next ones come at the end of the month. Shall I write to you?",
            ),
            ("3d5h", "harriet", "Oh please do!"),
            ("49m", "harriet", "Hello again, I walked past your window. Is that a blue one??"),
        ],
        assignee="ana",
        unread=1,
    ),
    Talk(
        "Shop",
        ("kid",),
        [("1h2m", "kid", "Hi, do you fix kids’ bikes as well?")],
        unread=1,
    ),
    Talk(
        "Rentals",
        ("petra",),
        [
            ("6d2h", "petra", "I’d like the cargo bike for our move on the 28th"),
            ("6d1h", "ana", "It’s yours. 60 for the day, and a deposit of 200 by card."),
            ("5d22h", "petra", "Just paid the deposit"),
            ("1d3h", "ana", "Deposit is in, thank you"),
        ],
        assignee="ana",
    ),
    Talk(
        "Shop",
        ("calvin",),
        [
            ("2d3h", "calvin", "When do the 700×38 tyres come in?"),
            ("2d2h", "ana", "The truck comes on Monday."),
            ("1d2h", "ana", "Your tyres are here", "delivered"),
        ],
        assignee="ana",
    ),
    Talk(
        "Shop",
        ("gwen",),
        [
            (
                "4d1h",
                "gwen",
                "Hello, do you carry the tubeless kit for 29 inch rims? The one with the long valves please",
            ),
            ("4d50m", "ana", "We do. I’ll order one for you, it should be here on Monday."),
            ("1d1h", "ana", "Your tubeless kit is in. We are open until six."),
            ("1d55m", "ben", "And 10 % off tyres this week, if you fancy a set with it?"),
            ("1d48m", "gwen", "STOP"),
        ],
    ),
    Talk(
        "Workshop",
        ("samuel",),
        [
            ("6d5h", "samuel", "Please let me know when the frame is here"),
            ("6d4h", "ben", "Will do, Samuel.", "delivered"),
            ("1d5h", "ben", "Your frame arrived this morning", "failed"),
        ],
        assignee="ben",
    ),
    Talk(
        "Shop",
        ("ingrid",),
        [
            ("2d7h", "ingrid", "photo:Saddle.png"),
            ("2d7h", "ingrid", "Would this saddle fit on a Brompton?"),
            (
                "2d6h",
                "max",
                "It would, with the adapter for the long seat post. 12 dollars, we have it here.",
            ),
            ("2d5h", "ingrid", "I’ll come by, thanks!"),
        ],
        assignee="max",
    ),
    Talk(
        "Workshop",
        ("theo",),
        [
            ("2d9h", "theo", "Can this be saved?"),
            ("2d9h", "theo", "photo:Dropout left.jpg"),
            ("2d9h", "theo", "photo:Dropout right.jpg"),
            ("2d8h", "ben", "The left one yes, the right one I have to see. Bring it in?"),
            ("2d7h", "theo", "Tomorrow after work"),
            ("2d7h", "ben", "Good, ask for me."),
        ],
        assignee="ben",
    ),
    Talk(
        "Workshop",
        ("yuki",),
        [
            ("8d3h", "yuki", "Shifting is off since the crash"),
            ("8d2h", "ben", "Most likely the hanger. 20 minutes, just come by."),
            ("8d1h", "yuki", "That was quick, thank you!"),
            ("55m", "yuki", "Gear hanger is bent again 😬"),
            ("54m", "yuki", "Same corner, same tram rails"),
        ],
        assignee="ben",
        unread=2,
    ),
    Talk(
        "Workshop",
        ("marcus",),
        [
            ("3d4h", "marcus", "I’d love to learn wheel building"),
            ("3d3h", "ben", "Thursday evenings in December, six people. Shall I put you down?"),
            ("3d2h", "marcus", "Yes!"),
            ("34m", "marcus", "Can I watch while you true mine?"),
        ],
        unread=1,
    ),
    Talk(
        "Rentals",
        ("fiona",),
        [
            ("1d4h", "fiona", "Hello! Are the tandems free on Saturday?"),
            ("1d3h", "mei", "Two are. 70 a day each, helmets included."),
            ("23m", "fiona", "Both tandems please"),
        ],
        assignee="mei",
        unread=1,
    ),
    Talk(
        "Workshop",
        ("astrid",),
        [
            ("10m", "astrid", "The brakes squeal like a tram. Is that dangerous, or just embarrassing?"),
        ],
        unread=1,
    ),
    Talk(
        "Workshop",
        ("dilip",),
        [
            ("3d8h", "dilip", "When could you do a full service?"),
            ("3d7h", "ben", "Ready from Tuesday on, if you bring it tomorrow."),
            ("3d6h", "dilip", "👍"),
        ],
        assignee="ben",
        closed_by="ben",
    ),
    Talk(
        "Workshop",
        ("esther",),
        [
            ("4d8h", "esther", "What about my fork?"),
            ("4d6h", "ben", "The fork is a write-off, sorry. A new one is 140, with fitting."),
            ("4d5h", "esther", "I need to sleep on that"),
        ],
        assignee="ben",
    ),
    Talk(
        "Rentals",
        ("rosa",),
        [
            ("3d9h", "rosa", "Could we move our booking to the 28th?"),
            ("3d8h", "ana", "Done. Same bikes, same time."),
            ("3d7h", "rosa", "Perfect, see you on the 28th"),
        ],
        assignee="ana",
        closed_by="ana",
    ),
    Talk(
        "Rentals",
        ("hugo",),
        [
            ("7d4h", "hugo", "We found a glove in the basket of the cargo bike"),
            ("7d3h", "mei", "Oh, thank you! Could you drop it through the letter box?"),
            ("7d2h", "hugo", "photo:Glove.png"),
            ("7d2h", "hugo", "Done"),
            ("7d1h", "mei", "You are a star. Ten percent off your next ride."),
        ],
        assignee="mei",
        closed_by="mei",
    ),
    Talk(
        "Shop",
        ("wanda",),
        [
            ("5d8h", "wanda", "Do you open on Thanksgiving?"),
            ("5d7h", "ana", "Closed on Thursday, open on Friday from ten."),
            ("5d7h", "wanda", "Thanks"),
        ],
        assignee="ana",
        closed_by="ana",
    ),
    Talk(
        "Rides",
        ("oscar",),
        [
            ("2d10h", "oscar", "Is the night ride on when it rains?"),
            ("2d9h", "mei", "Only when it pours. Check here at five on the day."),
            ("1d9h", "oscar", "And lights: how many lumens?"),
            ("1d8h", "mei", "400 in front is plenty. We lend you one if you have none."),
        ],
        assignee="mei",
    ),
    Talk(
        "Rides",
        ("imani",),
        [
            ("3h20m", "imani", "Which pace is the women’s ride on Wednesday?"),
            ("3h5m", "ana", "Easy: about 12 mph, and nobody is dropped."),
            ("3h", "imani", "Then I’m in. Can I bring my sister?"),
            ("2h50m", "ana", "Bring everyone!"),
        ],
        assignee="ana",
        done=[
            ("3h3m", "ana", "edit", "Easy: about 11 mph, and nobody is dropped.", "Easy: about"),
            ("2h45m", "imani", "react", "emphasize", "Bring everyone!"),
        ],
        effects={"Bring everyone!": "confetti"},
    ),
    Talk(
        "Shop",
        ("pavel",),
        [
            ("1d7h", "pavel", "What is the child trailer by the door?"),
            ("1d6h", "max", "A Croozer for two, 2024. 640, and it folds flat."),
            ("1d6h", "pavel", "Would you hold it until Saturday?"),
            ("1d5h", "max", "Until Saturday at noon, with your name on it."),
            ("1d5h", "pavel", "Wonderful"),
        ],
        assignee="max",
    ),
    Talk(
        "Rentals",
        ("lucia",),
        [
            ("2h30m", "lucia", "Hi, the lock of rental 14 does not open any more"),
            ("2h20m", "ana", "Sorry about that! Turn the key half back, then push. Does it give?"),
            ("2h10m", "lucia", "YES. Magic."),
            ("2h9m", "lucia", "photo:Rental 14.jpg"),
            ("2h", "ana", "Lovely spot! Enjoy the afternoon."),
        ],
        assignee="ana",
    ),
    Talk(
        "Shop",
        ("stranger",),
        [
            ("4h40m", "stranger", "Hey is this the bike shop on Alberta?"),
            ("4h30m", "ana", "It is! What can we do for you?"),
            ("4h25m", "stranger", "Just checking the number, I’ll call round later"),
        ],
    ),
    Talk(
        "Shop",
        ("theo",),
        [
            ("9d5h", "theo", "Do you buy used frames?"),
            ("9d4h", "max", "Steel ones, yes. Send a photo?"),
            ("9d3h", "theo", "photo:Steel frame.png"),
            ("9d2h", "max", "Nice lugs! 120, if the bottom bracket comes out."),
            ("9d1h", "theo", "Let me think about it"),
        ],
        assignee="max",
        closed_by="max",
    ),
    Talk(
        "Workshop",
        ("nora",),
        [
            ("12d5h", "nora", "Hi, could you do the spring tune-up in November too? 😄"),
            ("12d4h", "ben", "We do them all year, we just change the name. Friday?"),
            ("12d3h", "nora", "Friday it is"),
            ("10d6h", "ben", "All done. Chain and both pads were worn, 94 altogether."),
            ("10d5h", "nora", "Rides like new. Thank you!"),
        ],
        assignee="ben",
        closed_by="ben",
    ),
]
