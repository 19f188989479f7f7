"""Where webhooks may go, when somebody subscribes and again at each connection."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inbox.models.refusing import Refused
from partyline.addresses import is_public
from tests.webhooks.programs import wait_until
from webhooks import posting, targets
from webhooks.models import Attempt, Delivery
from webhooks.posting import Resolver


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.1.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_what_is_inside_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_outside_is(address):
    assert is_public(address)


@pytest.fixture
def names(monkeypatch):
    """What names stand for, when somebody subscribes."""
    known = {}

    def resolve(host):
        if host not in known:
            raise OSError("unknown")
        return known[host]

    monkeypatch.setattr(targets, "resolve", resolve)
    return known


def refused(url):
    try:
        targets.check_url(url)
    except Refused as refusal:
        return refusal.number
    return None


def test_a_name_of_a_private_address_is_refused(names):
    names["inside.example"] = ["10.0.0.7"]
    names["both.example"] = ["93.184.216.34", "::1"]
    names["outside.example"] = ["93.184.216.34", "2606:4700::1111"]

    assert refused("https://inside.example/hooks") == 1005
    assert refused("https://both.example/hooks") == 1005
    assert refused("https://outside.example/hooks") is None


def test_a_name_that_nobody_knows_yet_may_be_subscribed(names):
    assert refused("https://tomorrow.example/hooks") is None


def test_a_resolver_that_hangs_keeps_nobody_waiting(monkeypatch):
    import threading

    done = threading.Event()
    monkeypatch.setattr(targets, "PATIENCE", 0.05)
    monkeypatch.setattr(targets, "resolve", lambda host: done.wait(5) and [])

    assert refused("https://slow.example/hooks") is None
    done.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/",
        "ftp://93.184.216.34/",
        "https://",
        "https:///hooks",
        "//93.184.216.34/",
        "93.184.216.34",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://93.184.216.34:0/",
        "https://93.184.216.34:70000/",
        "https://93.184.216.34/ a",
        "https://93.184.216.34/\r\nX: y",
        "https://93.184.216.34/?version=1999-01-01",
    ],
)
def test_other_addresses_are_refused(url):
    assert refused(url) == 1005


def test_the_settings_may_name_private_hosts_by_patterns(settings, names):
    names["10.1.2.4"] = ["10.1.2.4"]
    settings.WEBHOOK_PRIVATE_HOSTS = ["crm.internal:8080", " *.Office.example", "10.1.2.3"]

    for url in (
        "http://crm.internal:8080/a",
        "https://crm.internal:8080/a",
        "http://mail.office.example/a",
        "http://mail.office.example:99/a",
        "https://10.1.2.3/a",
    ):
        assert refused(url) is None
    for url in (
        "http://crm.internal/a",
        "http://office.example/a",
        "https://10.1.2.4/a",
        "http://x.example/a",
    ):
        assert refused(url) == 1005


class Names(Resolver):
    """Answers with the next of what it was given for a name, and with the last for ever."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.looked_up = []

    def look_up(self, host, port):
        self.looked_up.append(host)
        given = self.answers[host]
        return given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
def pretend_public(monkeypatch):
    """127.0.0.1 counts as an address of the open internet, 127.0.0.9 does not."""
    monkeypatch.setattr(posting, "is_public", lambda address: address == "127.0.0.1")


@pytest.mark.django_db(transaction=True)
def test_a_name_that_has_become_private_is_not_connected_to(delivering, subscribe, happen, names, quick):
    names["hooks.example"] = ["93.184.216.34"]
    program = delivering.program()
    subscribe(f"https://hooks.example:{program.port}/hooks")
    delivering.start(resolver=Names(hooks_example=[["127.0.0.1"]]))
    happen()

    wait_until(lambda: Delivery.objects.filter(state="failed").exists(), within=15)

    assert {attempt.error for attempt in Attempt.objects.all()} == {"refused_address"}
    assert program.connections == 0


@pytest.mark.django_db(transaction=True)
def test_one_private_address_among_others_is_enough(
    delivering, subscribe, happen, names, quick, pretend_public
):
    names["hooks.example"] = ["93.184.216.34"]
    program = delivering.program()
    subscribe(f"https://hooks.example:{program.port}/hooks")
    delivering.start(resolver=Names(hooks_example=[["127.0.0.1", "127.0.0.9"]]))
    happen()

    wait_until(lambda: Attempt.objects.exists())

    assert Attempt.objects.first().error == "refused_address"
    assert program.connections == 0


@pytest.fixture
def certificate(tmp_path):
    """(the server's side of TLS for hooks.example, the client's), and what names the server was asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
    made = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "server.pem"
    path.write_bytes(private + made)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    server.asked = []
    server.sni_callback = lambda socket, name, context: server.asked.append(name)
    return server, ssl.create_default_context(cadata=made.decode())


@pytest.mark.django_db(transaction=True)
def test_the_address_that_was_checked_is_the_one_connected_to(
    delivering, subscribe, happen, names, certificate, pretend_public
):
    """The name's answer changes right after: the certificate and the Host header are the name's all the same."""
    server, client = certificate
    names["hooks.example"] = ["93.184.216.34"]
    program = delivering.program(tls=server)
    subscribe(f"https://hooks.example:{program.port}/hooks")
    resolver = Names(hooks_example=[["127.0.0.1"], ["127.0.0.9"]])
    delivering.start(resolver=resolver, ssl_context=client)
    happen()

    request = program.gets(1)[0]

    assert resolver.looked_up == ["hooks.example"]
    assert request.headers["host"] == f"hooks.example:{program.port}"
    assert server.asked == ["hooks.example"]
    # The connection stays; a new one would have been refused.
    happen()
    program.gets(2)
    assert program.connections == 1


@pytest.mark.django_db(transaction=True)
def test_a_certificate_of_nobody_is_no_secure_connection(
    delivering, subscribe, happen, certificate, quick, settings
):
    settings.WEBHOOK_PRIVATE_HOSTS = ["hooks.example", "other.example"]
    server, client = certificate
    program = delivering.program(tls=server)
    unknown = subscribe(f"https://hooks.example:{program.port}/hooks")
    delivering.start(resolver=Names(hooks_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]]))
    happen()
    wait_until(lambda: Attempt.objects.exists())
    assert Attempt.objects.first().error == "tls"
    delivering.end(delivering.deliverers[0])
    unknown.deliveries.all().delete()

    subscribe(f"https://other.example:{program.port}/hooks")
    resolver = Names(hooks_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    delivering.start(resolver=resolver, ssl_context=client)
    happen()
    wait_until(lambda: Attempt.objects.count() == 2)

    assert {attempt.error for attempt in Attempt.objects.filter(status=None)} == {"tls"}
    assert len(program.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_the_next_address_of_a_name_is_tried(delivering, subscribe, happen, settings, quick):
    settings.WEBHOOK_PRIVATE_HOSTS = ["hooks.example"]
    program = delivering.program()
    subscribe(f"http://hooks.example:{program.port}/hooks")
    # Nothing listens on the first.
    delivering.start(resolver=Names(hooks_example=[["127.0.0.77", "127.0.0.1"]]))
    happen()

    program.gets(1)

    assert program.connections == 1


@pytest.mark.django_db(transaction=True)
def test_no_proxy_of_the_environment_is_asked(delivering, subscribe, happen, monkeypatch):
    proxy, program = delivering.program(), delivering.program()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    subscribe(program)
    delivering.start()
    happen()

    program.gets(1)

    assert proxy.connections == 0
