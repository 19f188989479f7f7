"""What a customer does with a phone in the browser tests."""

import re

from playwright.sync_api import expect


class Handset:
    """The phone of a customer, on which max writes. Texts name bubbles; each verb waits until the phone shows it."""

    def __init__(self, page, name, line=None):
        self.page = page
        page.goto("/sandbox/")
        page.locator("#handset-list").get_by_role("link", name=re.compile(name)).click()
        page.wait_for_url(re.compile(r"/sandbox/\d+/"))
        if line:
            self.open(line)

    def open(self, name):
        """The thread with a line, or a group, whose name contains this."""
        chooser = self.page.get_by_label(re.compile("writes with"))
        thread = chooser.locator("option", has_text=name).first.get_attribute("value")
        if chooser.input_value() != thread:
            with self.page.expect_navigation():
                chooser.select_option(thread)

    @property
    def messages(self):
        return self.page.locator("#screen-messages")

    @property
    def field(self):
        return self.page.locator(".handset__compose input[name=text]")

    @property
    def refusal(self):
        """What the phone says when it could not do something."""
        return self.page.locator(".handset__refusal")

    def bubble(self, text):
        said = self.page.locator(".message__bubble", has_text=text)
        return self.messages.locator(".message", has=said).last

    def write(self, text):
        self.field.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.messages).to_contain_text(text)

    def read(self):
        self.page.locator("#ability-read").click()

    def type(self, words):
        """Write without sending."""
        self.field.press_sequentially(words)

    def sheet(self, name):
        return self.page.get_by_role("dialog", name=name)

    def touch(self, text):
        """Open the menu of a bubble."""
        self.bubble(text).locator(".handset__touch").click()
        return self.sheet("A message")

    def react(self, text, name):
        """Put "Like" … "Question", or any emoji, on a bubble; what is there already is taken back."""
        sheet = self.touch(text)
        tapback = sheet.get_by_role("button", name=name, exact=True)
        if tapback.count():
            tapback.click()
        else:
            sheet.get_by_label("Another emoji").fill(name)
            sheet.get_by_role("button", name="React", exact=True).click()
        expect(sheet).to_be_hidden()

    def stick(self, text, name="A bicycle"):
        self.touch(text).get_by_role("button", name=f"Sticker: {name}").click()
        expect(self.bubble(text).locator(".handset__sticker").last).to_be_visible()

    def reply(self, text, words):
        self.touch(text).get_by_role("button", name="Reply", exact=True).click()
        self.write(words)

    def edit(self, text, words):
        sheet = self.touch(text)
        sheet.get_by_label("What it says").fill(words)
        sheet.get_by_role("button", name="Save the edit").click()
        expect(self.messages).to_contain_text(words)

    def more(self, name):
        """Something from behind the plus."""
        self.page.get_by_role("button", name="Send something else").click()
        sheet = self.sheet("Send something else")
        sheet.get_by_role("button", name=name, exact=True).click()
        expect(sheet).to_be_hidden()

    def send_effect(self, words, effect):
        """`effect` as phones call it: "Confetti", "Slam", "Invisible Ink"."""
        self.field.fill(words)
        self.more("Send with an effect…")
        self.sheet("Send with an effect").get_by_role("button", name=effect, exact=True).click()
        expect(self.bubble(words)).to_contain_text(f"Sent with {effect}")

    def send_file(self, path):
        """A file of this machine, or {"name", "mimeType", "buffer"}."""
        self.page.locator(".handset__compose input[name=photo]").set_input_files(path)

    def send_photo(self):
        """HEIC from an iPhone."""
        self.more("Take a photo")

    def send_video(self):
        self.more("Record a video")

    def send_voice_memo(self):
        """CAF from an iPhone, AMR from others."""
        self.more("Send a voice memo")

    def send_contact(self):
        self.more("Own contact (.vcf)")

    def send_appointment(self):
        self.more("Appointment (.ics)")

    def send_app(self):
        self.more("App card")

    def send_app_clip(self):
        self.more("App Clip")

    def share_location(self, *, indefinitely=False):
        self.more("Share location indefinitely" if indefinitely else "Share location for an hour")

    def stop_location(self):
        self.more("Stop sharing location")

    def share_card(self):
        """Their own name and photo."""
        self.more("Share name and photo")

    def add_card(self):
        """Take over ours."""
        self.page.get_by_role("button", name="Add", exact=True).first.click()

    def set_background(self, name="aurora"):
        """mango, aurora or none."""
        self.more(f"Background: {name}")

    def call(self):
        """An event without a published payload."""
        self.more("Call the line")

    def do_something_unheard_of(self):
        self.more("Something unheard of")

    def poll(self, *options):
        """Two to four options."""
        self.more("Poll…")
        sheet = self.sheet("New poll")
        for number, option in enumerate(options, start=1):
            sheet.get_by_label(f"Option {number}").fill(option)
        polls = self.messages.locator(".poll")
        before = polls.count()
        sheet.get_by_role("button", name="Send the poll").click()
        expect(polls).to_have_count(before + 1)

    def vote(self, option):
        """Once more takes the vote back."""
        choice = self.messages.get_by_role("button", name=re.compile(re.escape(option))).last
        was = choice.get_attribute("aria-pressed")
        choice.click()
        expect(choice).not_to_have_attribute("aria-pressed", was)

    @property
    def last_poll(self):
        return self.messages.locator(".poll").last

    @property
    def option_field(self):
        return self.last_poll.get_by_label("Another option")

    def add_option(self, text):
        self.option_field.fill(text)
        self.last_poll.get_by_role("button", name="Add", exact=True).click()
        expect(self.messages).to_contain_text(text)

    def about_group(self):
        self.page.get_by_role("button", name="About this group").click()
        return self.sheet("About this group")

    def rename(self, name):
        sheet = self.about_group()
        sheet.get_by_label("Name of the group").fill(name)
        sheet.get_by_role("button", name="Rename").click()
        expect(self.messages).to_contain_text(f"named the conversation “{name}”")

    def set_icon(self):
        self.about_group().get_by_role("button", name="Set picture").click()
        expect(self.messages).to_contain_text("changed the group photo")

    def add(self, name):
        sheet = self.about_group()
        sheet.get_by_label("Somebody else").select_option(label=name)
        sheet.get_by_role("button", name="Add", exact=True).click()
        expect(sheet).to_be_hidden()

    def remove(self, name):
        self.about_group().get_by_role("button", name=f"Remove {name}").click()

    def leave(self):
        self.about_group().get_by_role("button", name="Leave this group").click()
        expect(self.messages).to_contain_text("You left the conversation")

    def start_group(self, names, words):
        """Write to the line of the open thread and to these people at once."""
        self.page.get_by_role("button", name="Write to several people").click()
        sheet = self.sheet("Write to several people")
        for name in names:
            sheet.get_by_label(name).check()
        sheet.get_by_label("First message").fill(words)
        with self.page.expect_navigation():
            sheet.get_by_role("button", name="Send to all of them").click()
        expect(self.messages).to_contain_text(words)

    def leave_coverage(self):
        self.page.locator("#ability-coverage[aria-checked=true]").click()
        expect(self.page.locator("#ability-coverage")).to_have_attribute("aria-checked", "false")

    def enter_coverage(self):
        self.page.locator("#ability-coverage[aria-checked=false]").click()
        expect(self.page.locator("#ability-coverage")).to_have_attribute("aria-checked", "true")

    def switch_fault(self, label, number=1):
        """ "Next reactions and edits refused", "Next group changes refused" … Leaves the page that it is on."""
        self.page.locator("summary", has_text="Faults").click()
        self.page.get_by_label(label).fill(str(number))
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Save", exact=True).click()
