"""What a program's first request looks like, to be copied and run."""

import json

from django.conf import settings

from lines.models import Handset

# Nobody's number: what is copied has to be changed first.
SOMEBODY = "+12025550143"
KEY, SECRET = "PARTYLINE_KEY", "$PARTYLINE_KEY"

LIST = {
    "curl": """curl {base}/v3/phone_numbers \\
  -H "Authorization: Bearer {key}\"""",
    "Python": """# pip install linq-python
from linq import LinqAPIV3

linq = LinqAPIV3(base_url="{base}", api_key={python_key})
for number in linq.phone_numbers.list().phone_numbers:
    print(number.phone_number, number.reputation.status)""",
    "JavaScript": """// npm install @linqapp/sdk
import LinqAPIV3 from "@linqapp/sdk"

const linq = new LinqAPIV3({{ baseURL: "{base}", apiKey: {javascript_key} }})
const {{ phone_numbers }} = await linq.phoneNumbers.list()
console.log(phone_numbers)""",
}
SEND = {
    "curl": """curl {base}/v3/chats \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"from": "{sender}", "to": ["{to}"],
       "message": {{"parts": [{{"type": "text", "value": "Your bike is ready"}}]}}}}'""",
    "Python": """# pip install linq-python
from linq import LinqAPIV3

linq = LinqAPIV3(base_url="{base}", api_key={python_key})
made = linq.chats.create(
    from_="{sender}",
    to=["{to}"],
    message={{"parts": [{{"type": "text", "value": "Your bike is ready"}}]}},
)
print(made.chat.id)""",
    "JavaScript": """// npm install @linqapp/sdk
import LinqAPIV3 from "@linqapp/sdk"

const linq = new LinqAPIV3({{ baseURL: "{base}", apiKey: {javascript_key} }})
const made = await linq.chats.create({{
  from: "{sender}",
  to: ["{to}"],
  message: {{ parts: [{{ type: "text", value: "Your bike is ready" }}] }},
}})
console.log(made.chat.id)""",
}


def first_requests(token, key):
    """[(language, text)] of a request that this key may make; none where it only manages."""
    kind = SEND if token.may("send") else LIST if token.may("read") else {}
    sender = token.lines.order_by("created_at").values_list("phone_number", flat=True).first()
    if kind is SEND and not sender:
        kind = LIST if token.may("read") else {}
    words = words_of(token.environment, sender, key)
    return [(language, text.format(**words)) for language, text in kind.items()]


def open_requests(environment):
    """The same for a key that is not at hand: it is read from the shell's variable PARTYLINE_KEY."""
    sender = environment.lines.order_by("created_at").values_list("phone_number", flat=True).first()
    words = words_of(environment, sender, SECRET) | {
        "python_key": f'os.environ["{KEY}"]',
        "javascript_key": f"process.env.{KEY}",
    }
    kind = SEND if sender else LIST
    samples = {language: text.format(**words) for language, text in kind.items()}
    samples["Python"] = samples["Python"].replace("from linq", "import os\n\nfrom linq", 1)
    return list(samples.items())


def words_of(environment, sender, key):
    return {
        "base": settings.PUBLIC_URL,
        "key": key,
        "python_key": json.dumps(key),
        "javascript_key": json.dumps(key),
        "sender": sender,
        "to": somebody_in(environment),
    }


def somebody_in(environment):
    """In a sandbox one of its phones, so that the request can be seen to arrive."""
    phones = Handset.objects.filter(environment=environment, handle__startswith="+")
    return phones.values_list("handle", flat=True).first() or SOMEBODY
