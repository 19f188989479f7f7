"""Who is in it: the team, its lines, and the customers with their phones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colleague:
    key: str
    name: str
    role: str
    lines: tuple[str, ...]

    @property
    def email(self):
        return f"{self.key}@fairwheel.example"


@dataclass(frozen=True)
class Customer:
    key: str
    name: str
    number: str
    kind: str = "imessage"
    remark: str = ""
    persona: str = ""
    email: str = ""
    notes: str = ""
    sends_read_receipts: bool = True
    # A number that the team has no name for.
    is_known: bool = True


TEAM = [
    Colleague("max", "Max Adler", "admin", ("Shop", "Workshop", "Rentals", "Rides")),
    Colleague("ana", "Ana Ferreira", "agent", ("Shop", "Rentals", "Rides")),
    Colleague("ben", "Ben Okafor", "agent", ("Shop", "Workshop")),
    Colleague("mei", "Mei Lindqvist", "agent", ("Rentals", "Rides")),
    Colleague("lea", "Lea Marchetti", "lead", ("Shop", "Workshop", "Rentals", "Rides")),
]

LINES = [
    ("Shop", "+15035550100", "teal"),
    ("Workshop", "+15035550101", "rust"),
    ("Rentals", "+15035550102", "plum"),
    ("Rides", "+15035550103", "moss"),
]

CUSTOMERS = [
    Customer(
        "nora",
        "Nora Whitfield",
        "+15035550171",
        email="nora@whitfield.example",
        notes="Tern GSD S10, frame TN24-88107. Warranty until March.",
    ),
    Customer("jonas", "Jonas Pfeiffer", "+15035550172", remark="iPhone, in a group"),
    Customer("luis", "Luis Ortega", "+15035550173", "sms", notes="Works nearby, comes by after three."),
    Customer("dana", "Dana Kessler", "+15035550174", "rcs", email="dana@kessler.example"),
    Customer("gwen", "Gwen Abara", "+19715550182", "sms", remark="Opts out with STOP", persona="gwen"),
    Customer(
        "calvin", "Calvin Brandt", "+15415550175", remark="Sends no read receipts", sends_read_receipts=False
    ),
    Customer("samuel", "Samuel Reyes", "+15035550176", "unreachable"),
    Customer("harriet", "Harriet Boone", "+15035550177", remark="Answers by herself", persona="harriet"),
    Customer("petra", "Petra Novak", "+15035550178", email="petra.novak@mail.example"),
    Customer("theo", "Theo Marsh", "+15035550179"),
    Customer("ingrid", "Ingrid Solheim", "+15035550180"),
    Customer("yuki", "Yuki Tanabe", "+15035550181"),
    Customer("marcus", "Marcus Oyelaran", "+15035550182", remark="Answers in threads", persona="marcus"),
    Customer("fiona", "Fiona Castell", "+15035550183", "rcs"),
    Customer("astrid", "Astrid Holm", "+15035550184"),
    Customer("dilip", "Dilip Varma", "+15035550185"),
    Customer("esther", "Esther Pryce", "+15035550186", "sms"),
    Customer("rosa", "Rosa Baxter", "+15035550187", "rcs"),
    Customer("kid", "", "+19715550134", "rcs", is_known=False),
    Customer("hugo", "Hugo Delgado", "+15035550188"),
    Customer("wanda", "Wanda Kowalski", "+15035550189", "sms"),
    Customer("oscar", "Oscar Lindgren", "+15035550190", remark="Reacts by himself", persona="oscar"),
    Customer("imani", "Imani Clarke", "+15035550191"),
    Customer("pavel", "Pavel Horak", "+15035550192", "rcs"),
    Customer("lucia", "Lucía Romero", "+15035550193"),
    Customer("stranger", "", "+15035550194", is_known=False),
    Customer("sela", "Sela Lomu", "+15035550195"),
    Customer("amara", "Amara Diallo", "+19715550146"),
    Customer("kai", "Kai Watanabe", "+15035550196"),
    Customer("elif", "Elif Bakır", "+15035550197"),
]
