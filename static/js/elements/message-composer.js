// Writing: a reply or a note. The text is kept on the server as it is typed, and leaves once, however often Send is
// pressed. Files, voice memos, effects and emoji are elements of their own; this puts together what they say.
import { Drafts } from "composer/drafts"
import { bodyOf, bubbleOf, newKey, post } from "composer/sending"
import { Typing } from "composer/typing"
import "elements/effect-picker"
import "elements/emoji-picker"
import "elements/upload-list"
import "elements/voice-recorder"

const CHOICES = ["service", "effect", "reply_to", "reply_part"]
const REPLY_TOOLS = ".composer__reply-tools, .composer__service, schedule-picker"

class MessageComposer extends HTMLElement {
  #leaving
  #drafts
  #typing
  // Text that came back because nobody knows whether it arrived.
  #returned
  #waitsForFiles = false

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal })
    this.#typing = new Typing(this.dataset.typingUrl)
    this.#drafts = new Drafts({
      chat: this.dataset.chat,
      url: this.dataset.draftUrl,
      texts: Object.fromEntries([...this.querySelectorAll("[data-draft-of]")].map((draft) => [draft.dataset.draftOf, draft.content.textContent])),
      hint: (words) => this.#hint(words),
    })
    on(this.#form, "submit", (event) => this.#submit(event))
    on(this.#form, "click", (event) => this.#clicked(event))
    on(this, "keydown", (event) => this.#pressed(event))
    on(this.#text, "input", () => this.#typed())
    on(this.#text, "blur", () => this.dataset.typing === "auto" && this.#typing.stop())
    on(this.#text, "paste", (event) => event.clipboardData.files.length && this.#attach(event.clipboardData.files, event))
    on(this, "dragover", (event) => event.preventDefault())
    on(this, "drop", (event) => this.#dropped(event))
    for (const input of this.querySelectorAll("[type=file]")) on(input, "change", ({ target }) => this.#attach(target.files))
    on(this, "emoji:chosen", ({ detail }) => this.#insert(detail))
    on(this, "effect:chosen", ({ detail }) => this.#chooseEffect(detail.effect, detail.label))
    on(this, "effect:done", () => this.#closeEffects())
    on(this, "upload:changed", () => this.#filesChanged())
    on(this, "upload:removed", () => this.#text.focus())
    on(this, "memo:ready", () => this.#hint("Not sent yet"))
    on(this, "memo:gone", ({ detail }) => this.#forgetMemo(detail))
    on(this, "composer:schedule", ({ detail }) => this.#schedule(detail))
    on(document, "message:reply", ({ detail }) => this.#answer(detail))
    on(document, "conversation:mode", ({ detail }) => this.#setMode(detail))
    on(document, "live:stale", () => this.#hint("Reconnecting… you can go on writing"))
    on(document, "live:fresh", () => this.#hint(""))
    on(document, "live:event", ({ detail }) => this.#heard(detail))
    on(globalThis, "pagehide", () => this.#leave())
    on(document, "visibilitychange", () => document.hidden && this.#leave())
    this.#showMode()
    if (matchMedia("(pointer: fine)").matches) this.#text.focus({ preventScroll: true })
    if (!/Mac|iP/.test(navigator.platform)) this.querySelector("[data-key=send]").textContent = "Ctrl ↵"
  }

  disconnectedCallback() {
    this.#leave()
    this.#leaving.abort()
  }

  get #form() {
    return this.querySelector("form")
  }

  get #fields() {
    return this.#form.elements
  }

  get #text() {
    return this.#fields.text
  }

  get #mode() {
    return this.#form.dataset.mode
  }

  get #files() {
    return this.querySelector("upload-list")
  }

  get #recorder() {
    return this.querySelector("voice-recorder")
  }

  get #messages() {
    return document.querySelector("message-list")
  }

  #part(name) {
    return this.querySelector(`.composer__${name}`)
  }

  // Keys and clicks

  #pressed(event) {
    if (event.target.matches("input[data-url]")) return this.#addressed(event)
    if (event.target !== this.#text) return
    if (event.key === "Escape" && this.#fields.reply_to.value) {
      event.stopPropagation()
      return this.#answer({ message: "" })
    }
    if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey) || event.isComposing) return
    event.preventDefault()
    this.#form.requestSubmit()
  }

  #clicked(event) {
    const to = (selector) => event.target.closest(selector)
    if (to("[data-set-mode]")) return this.#setMode(to("[data-set-mode]").dataset.setMode)
    if (to("[data-attach], [data-address]")) this.querySelector(".composer__attach > button").click()
    if (to("[data-attach]")) return this.querySelector("[data-files]").click()
    if (to("[data-address]")) return this.#askAddress(true)
    if (to("[data-no-address]")) return this.#askAddress(false)
    if (to("[data-fetch]")) return this.#fetchAddress()
    if (to("[data-photo-button]")) return this.querySelector("[data-camera]").click()
    if (to("[data-record]")) return this.#record()
    if (to("[data-send-memo]")) return this.#sendMemo()
    if (to("[data-effects]")) return this.#openEffects()
    if (to("[data-no-effect]")) return this.#chooseEffect("", "")
    if (to("[data-no-reply]")) return this.#answer({ message: "" })
    if (to("[data-show-typing]")) return this.#toggleTyping(to("[data-show-typing]"))
    if (to("[data-show-latest]")) return this.#showLatest()
    const service = to("[data-service-choice]")
    if (service && service.getAttribute("aria-disabled") !== "true") this.#chooseService(service)
    const emoji = to(".composer__emoji > button") && this.querySelector("[data-emoji]")
    if (emoji) emoji.replaceChildren(...(emoji.hidden ? [] : [document.createElement("emoji-picker")]))
  }

  #typed() {
    this.#warn("")
    // What has been changed is another message.
    if (this.#returned !== undefined && this.#text.value !== this.#returned) this.#renewKey()
    this.#grow()
    this.#drafts.typed(this.#mode, this.#text.value)
    if (this.dataset.typing !== "auto" || this.#mode !== "reply") return
    if (this.#text.value.trim()) this.#typing.show()
    else this.#typing.stop()
  }

  #toggleTyping(button) {
    const isOn = button.getAttribute("aria-pressed") === "true"
    button.setAttribute("aria-pressed", String(!isOn))
    if (isOn) this.#typing.stop()
    else this.#typing.show(Infinity)
  }

  #leave() {
    this.#drafts.save(this.#mode, { leaving: true })
    this.#typing.stop()
  }

  #insert(words) {
    this.#text.setRangeText(words, this.#text.selectionStart, this.#text.selectionEnd, "end")
    this.querySelector(".composer__emoji[open] > button")?.click()
    this.#text.focus()
    this.#typed()
  }

  // Modes, and what goes with a reply

  #setMode(mode, { focus = true } = {}) {
    if (this.querySelector(`[data-set-mode=${mode}]`) && mode !== this.#mode) {
      this.#drafts.save(this.#mode)
      this.#typing.stop()
      this.#form.dataset.mode = mode
      this.#text.value = this.#drafts.text(mode)
      this.#drafts.entered(mode)
      this.#closeEffects()
    }
    this.#showMode()
    if (focus) this.#text.focus({ preventScroll: true })
  }

  #showMode() {
    const isNote = this.#mode === "note"
    for (const tab of this.querySelectorAll("[data-set-mode]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.setMode === this.#mode))
    }
    for (const tool of this.querySelectorAll(REPLY_TOOLS)) tool.hidden = isNote
    const words = isNote ? "Note for the team" : `Message ${this.dataset.name}`
    this.#text.placeholder = words
    this.#text.setAttribute("aria-label", words)
    this.#form.setAttribute("aria-label", isNote ? "Note" : "Reply")
    const send = this.#part("send")
    const kind = this.#isText ? "sms" : "imessage"
    send.dataset.kind = isNote ? "note" : kind
    for (const button of this.querySelectorAll("schedule-picker > .button, schedule-picker [data-go]")) button.dataset.kind = kind
    send.querySelector("[data-verb]").textContent = isNote ? "Add note" : "Send"
    this.#files.hidden = isNote || this.#files.isEmpty
    this.#part("quote").hidden = isNote || !this.#fields.reply_to.value
    this.#part("effect").hidden = isNote || !this.#fields.effect.value
    this.#grow()
    this.#explain()
  }

  get #service() {
    return this.#fields.service.value || this.dataset.service
  }

  get #isText() {
    return ["RCS", "SMS"].includes(this.#service)
  }

  #chooseService(choice) {
    this.#fields.service.value = choice.dataset.serviceChoice
    const button = choice.closest("pop-over").querySelector("button")
    button.querySelector(".service-dot").dataset.service = choice.dataset.shownAs.toLowerCase()
    button.querySelector("[data-service-name]").textContent = choice.dataset.label
    for (const other of choice.parentElement.children) other.setAttribute("aria-checked", String(other === choice))
    button.click()
    this.#setMode("reply")
  }

  #chooseEffect(effect, label) {
    this.#fields.effect.value = effect
    this.#part("effect").querySelector("span").textContent = label
    this.#showMode()
    if (!effect && this.querySelector("effect-picker").hidden) this.#text.focus()
  }

  // What the service will not carry is said before it is sent.
  #explain() {
    const warning = this.querySelector("[data-about=effect]")
    const label = this.#part("effect").querySelector("span").textContent.toLowerCase()
    warning.hidden = !(this.#mode === "reply" && this.#fields.effect.value && this.#isText)
    warning.querySelector("span").textContent = `Without ${label}: this goes by ${this.#service}, and effects are seen on iMessage only`
  }

  // `instead`: only where it answers that one.
  #answer({ message, part = 0, words = "", instead }) {
    if (instead && this.#fields.reply_to.value !== instead) return
    if (message && !this.querySelector("[data-set-mode=reply]")) return
    if (message) this.#setMode("reply", { focus: false })
    this.#fields.reply_to.value = message
    this.#fields.reply_part.value = message ? part : ""
    this.#part("quote").querySelector("span").textContent = words
    this.#setMode(this.#mode)
  }

  #openEffects() {
    const picker = this.querySelector("effect-picker")
    if (!picker.hidden) return this.#closeEffects()
    this.querySelector("[data-effects]").setAttribute("aria-expanded", "true")
    picker.open(this.#fields.effect.value, this.#text.value)
  }

  #closeEffects() {
    const picker = this.querySelector("effect-picker")
    const hadFocus = picker.contains(document.activeElement)
    picker.close()
    this.querySelector("[data-effects]").setAttribute("aria-expanded", "false")
    if (hadFocus) this.#text.focus()
  }

  // Sending

  #submit(event) {
    event.preventDefault()
    if (this.#mode === "note") return this.#addNote()
    if (this.#files.isBusy) return this.#waitForFiles()
    if (this.#files.hasFailed) return this.#warn("One of the files did not arrive. Try it again, or remove it.")
    const said = this.#said()
    if (!said.text.trim() && !said.uploads.length) return this.#text.focus()
    this.#put(said)
    this.#clear()
    this.#drafts.next(() => this.#send(said))
  }

  #said() {
    const uploads = this.#files.arrived
    return {
      text: this.#text.value,
      key: this.#fields.key.value,
      uploads,
      // A recording that had to be tried again; beside words it is a file.
      memo: uploads.length === 1 && uploads[0].isVoice && !this.#text.value.trim(),
      choices: Object.fromEntries(CHOICES.map((name) => [name, this.#fields[name].value])),
      quote: this.#part("quote").querySelector("span").textContent,
      label: this.#part("effect").querySelector("span").textContent,
    }
  }

  // The server's answer, or the socket, takes its place.
  #put(said) {
    this.#messages.put(bubbleOf(this.querySelector("[data-bubble]"), said))
    this.#messages.scrollTop = 0
  }

  #clear() {
    this.#text.value = ""
    this.#drafts.sent("reply")
    this.#files.replace()
    for (const name of CHOICES) if (name !== "service") this.#fields[name].value = ""
    this.#part("quote").querySelector("span").textContent = ""
    this.#typing.stop({ sent: true })
    this.#renewKey()
    this.#warn("")
    this.#hint("")
    this.#closeEffects()
    this.querySelector("[data-about=colleague]").hidden = true
    this.#showMode()
  }

  #renewKey() {
    this.#returned = undefined
    this.#fields.key.value = newKey()
  }

  async #send(said, later) {
    const url = later ? this.dataset.scheduleUrl : this.dataset.replyUrl
    const { status, html, sequence, problem } = await post(url, bodyOf(said, later))
    if (status === 200) {
      this.#messages?.put(html, sequence)
      return document.dispatchEvent(new CustomEvent("message:sent"))
    }
    this.#messages?.take(said.key)
    const again = { ...said, key: newKey() }
    if (status === 422) this.#giveBack(again, problem ?? "It was not sent.")
    else if (status === 403 || status === 404) this.#giveBack(again, "You may no longer answer here. Your text is still in the field.")
    // The same key: it is not known whether the message arrived, and so it cannot arrive twice.
    else this.#giveBack(said, "The server could not be reached, so nothing was sent. Press Send to try again.")
  }

  #giveBack(said, why) {
    this.#setMode("reply", { focus: false })
    const later = this.#text.value
    this.#text.value = [said.text, later].filter((words) => words.trim()).join("\n")
    this.#drafts.typed("reply", this.#text.value)
    this.#files.replace([...said.uploads, ...this.#files.arrived])
    if (!later.trim()) this.#chooseAgain(said)
    this.#fields.key.value = later.trim() ? newKey() : said.key
    this.#returned = this.#text.value
    this.#showMode()
    this.#warn(why)
  }

  #chooseAgain({ choices, quote, label }) {
    for (const [name, value] of Object.entries(choices)) this.#fields[name].value = value
    this.#part("quote").querySelector("span").textContent = quote
    this.#part("effect").querySelector("span").textContent = label
  }

  // It had arrived after all: what came back into the field is not sent again. And what others did meanwhile is said.
  #heard({ chat, message, event }) {
    if (chat !== this.dataset.chat || !message) return
    if (message.includes(`data-key="${this.#fields.key.value}"`)) return this.#clear()
    if (event !== "inbox.message_queued" || this.#mode !== "reply" || !this.#text.value.trim()) return
    const page = new DOMParser().parseFromString(message, "text/html")
    const author = page.querySelector(".message__by by-line")
    if (!author || author.dataset.user === document.body.dataset.user) return
    const warning = this.querySelector("[data-about=colleague]")
    warning.querySelector("span").textContent = `${author.textContent} answered since you began`
    warning.hidden = false
  }

  #showLatest() {
    this.querySelector("[data-about=colleague]").hidden = true
    this.#messages.latest()
    this.#text.focus()
  }

  // Later, and among ourselves

  // It has no bubble before the server's answer, which is put at the end of the thread.
  #schedule({ sendAt, timeZone, asksFirst }) {
    if (this.#files.isBusy) return this.#warn("Wait until the files are there.")
    if (this.#files.hasFailed) return this.#warn("One of the files did not arrive. Try it again, or remove it.")
    const said = this.#said()
    if (!said.text.trim() && !said.uploads.length) return this.#warn("Write first what is to be sent later.")
    const later = { send_at: sendAt, time_zone: timeZone, asks_first: asksFirst ? "on" : "" }
    this.#clear()
    this.#drafts.next(() => this.#send(said, later))
    this.#messages.latest()
    this.#text.focus()
  }

  #addNote() {
    const [text, key] = [this.#text.value, this.#fields.key.value]
    if (!text.trim()) return this.#text.focus()
    this.#text.value = ""
    this.#drafts.sent("note")
    this.#renewKey()
    this.#hint("")
    this.#grow()
    this.#drafts.next(() => this.#sendNote(text, key))
  }

  async #sendNote(text, key) {
    const answer = await post(`/chats/${this.dataset.chat}/notes/`, new URLSearchParams({ text, key }))
    if (answer.ok) return this.#messages?.put(answer.html, answer.sequence)
    this.#setMode("note", { focus: false })
    this.#text.value = [text, this.#text.value].filter((words) => words.trim()).join("\n")
    this.#drafts.typed("note", this.#text.value)
    if (answer.status !== 422) this.#fields.key.value = key
    this.#warn(answer.problem ?? "The note was not kept. Try it again.")
  }

  // Files and memos

  #dropped(event) {
    const { files } = event.dataTransfer
    if (files.length) return this.#attach(files, event)
    const url = event.dataTransfer.getData("text/uri-list").split("\n").find((line) => line.startsWith("https:"))
    if (!url || this.#mode === "note") return
    event.preventDefault()
    this.#files.fetch(url.trim())
  }

  #attach(files, event) {
    if (!files?.length || this.#mode === "note") return
    event?.preventDefault()
    if (!this.#files.add(files)) this.#warn("99 files are the most for one message.")
    for (const input of this.querySelectorAll("[type=file]")) input.value = ""
  }

  #askAddress(isOn) {
    const field = this.querySelector("input[data-url]")
    this.#part("address").hidden = !isOn
    field.value = ""
    if (isOn) field.focus()
    else this.#text.focus()
  }

  #addressed(event) {
    if (event.key === "Enter") event.preventDefault(), this.#fetchAddress()
    if (event.key === "Escape") event.stopPropagation(), this.#askAddress(false)
  }

  #fetchAddress() {
    const field = this.querySelector("input[data-url]")
    if (!field.value.trim() || !field.reportValidity()) return
    this.#files.fetch(field.value.trim())
    this.#askAddress(false)
  }

  #waitForFiles() {
    this.#waitsForFiles = true
    this.#hint("Leaves when the files are there")
  }

  #filesChanged() {
    this.#files.hidden = this.#files.isEmpty || this.#mode === "note"
    if (!this.#waitsForFiles || this.#files.isBusy) return
    this.#waitsForFiles = false
    this.#hint("")
    this.#form.requestSubmit()
  }

  async #record() {
    try {
      await this.#recorder.start()
      this.#showRecorder(true)
    } catch {
      this.#warn("The microphone cannot be used. Allow it in the browser, then try again.")
    }
  }

  #showRecorder(isOn) {
    this.#text.hidden = this.#part("tools").hidden = isOn
    this.#hint(isOn ? "Recording" : "")
    if (!isOn) this.#text.focus()
  }

  #forgetMemo(why) {
    this.#showRecorder(false)
    if (why) this.#warn(`That recording is ${why}. Record it again.`)
  }

  #sendMemo() {
    const file = this.#recorder.memo
    // It is being recorded anew.
    if (!file) return
    const choices = { service: this.#fields.service.value }
    const said = { text: "", key: newKey(), uploads: [], choices, quote: "", label: "", memo: true }
    this.#recorder.close()
    this.#showRecorder(false)
    this.#put(said)
    this.#drafts.next(() => this.#uploadMemo(file, said))
  }

  async #uploadMemo(file, said) {
    const body = new FormData()
    body.append("file", file)
    body.append("voice", "1")
    const { status, html } = await post(this.#files.dataset.url, body)
    if (status === 200) return this.#send({ ...said, uploads: [JSON.parse(html)] })
    this.#messages?.take(said.key)
    this.#files.addMemo(file)
    this.#warn(status === 422 ? html : "The memo did not reach the server. It is kept; try it again, then send it.")
  }

  // Words

  #grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.#text.rows = Math.min(10, Math.max(2, this.#text.value.split("\n").length))
  }

  #warn(words) {
    const warning = this.#part("warning")
    warning.textContent = words
    warning.hidden = !words
  }

  #hint(words) {
    this.#part("hint").textContent = words
  }
}

customElements.define("message-composer", MessageComposer)
