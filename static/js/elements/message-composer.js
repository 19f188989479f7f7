// Writing: a reply or a note. The text is kept on the server as it is typed, and leaves once, however often Send is
// pressed. Files, voice memos, effects and emoji are elements of their own; this puts together what they say.
import "elements/effect-picker"
import "elements/emoji-picker"
import "elements/upload-list"
import "elements/voice-recorder"
import { headers } from "requests"

const SAVE_AFTER = 600
// Milliseconds: their dots last 90 s, so they are told again before; and whoever stops for so long has stopped.
const TYPING_AGAIN = 60000
const TYPING_ENDS = 20000
const CHOICES = ["service", "effect", "reply_to", "reply_part"]

class MessageComposer extends HTMLElement {
  #leaving
  #saving
  #saved = {}
  // Text that came back because nobody knows whether it arrived.
  #returned
  // Requests go one after the other, so that messages keep their order and a draft never follows its message.
  #line = Promise.resolve()
  #texts = {}
  #typing = { told: 0, timer: null }
  #waitsForFiles = false

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal })
    for (const draft of this.querySelectorAll("[data-draft-of]")) this.#texts[draft.dataset.draftOf] = draft.content.textContent
    this.#saved = { ...this.#texts }
    on(this.#form, "submit", (event) => this.#submit(event))
    on(this.#form, "click", (event) => this.#clicked(event))
    on(this.#text, "input", () => this.#typed())
    on(this.#text, "blur", () => this.#stopTyping())
    on(this, "keydown", (event) => this.#pressed(event))
    on(this.#text, "paste", (event) => this.#pasted(event))
    on(this, "dragover", (event) => event.preventDefault())
    on(this, "drop", (event) => this.#dropped(event))
    for (const input of this.querySelectorAll("[type=file]")) on(input, "change", ({ target }) => this.#attach(target.files))
    on(this, "emoji:chosen", ({ detail }) => this.#insert(detail))
    on(this, "effect:chosen", ({ detail }) => this.#choose("effect", detail.effect, detail.label))
    on(this, "effect:done", () => this.#closeEffects())
    on(this, "upload:changed", () => this.#filesChanged())
    on(this, "upload:removed", () => this.#text.focus())
    on(this, "memo:gone", () => this.#record(false))
    on(this, "composer:schedule", ({ detail }) => this.#schedule(detail))
    on(document, "message:reply", ({ detail }) => this.#answer(detail))
    on(document, "conversation:mode", ({ detail }) => this.#setMode(detail))
    on(document, "live:stale", () => this.#hint("Reconnecting… you can go on writing"))
    on(document, "live:fresh", () => this.#hint(""))
    on(document, "live:event", ({ detail }) => this.#arrived(detail))
    on(globalThis, "pagehide", () => this.#leave())
    on(document, "visibilitychange", () => document.hidden && this.#leave())
    this.#setMode(this.#mode, { focus: matchMedia("(pointer: fine)").matches })
    if (!/Mac|iP/.test(navigator.platform)) this.querySelector("[data-key=send]").textContent = "Ctrl ↵"
    this.#grow()
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

  // Modes

  #setMode(mode, { focus = true } = {}) {
    const tab = this.querySelector(`[data-set-mode=${mode}]`)
    if (tab && mode !== this.#mode) {
      this.#save()
      this.#stopTyping()
      this.#texts[this.#mode] = this.#text.value
      this.#text.value = this.#texts[mode] ?? ""
      this.#form.dataset.mode = mode
      // The server remembers in which mode one was.
      this.#saved[mode] = null
      this.#save()
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
    for (const tool of this.querySelectorAll(".composer__reply-tools, .composer__service, schedule-picker")) tool.hidden = isNote
    const words = isNote ? "Note for the team" : `Message ${this.dataset.name}`
    this.#text.placeholder = words
    this.#text.setAttribute("aria-label", words)
    this.#form.setAttribute("aria-label", isNote ? "Note" : "Reply")
    const send = this.querySelector(".composer__send")
    send.dataset.kind = isNote ? "note" : this.#kind
    send.querySelector("[data-verb]").textContent = isNote ? "Add note" : "Send"
    this.#files.hidden = isNote || this.#files.isEmpty
    this.querySelector(".composer__quote").hidden = isNote || !this.#fields.reply_to.value
    this.querySelector(".composer__effect").hidden = isNote || !this.#fields.effect.value
    this.#grow()
    this.#explain()
  }

  get #kind() {
    return ["RCS", "SMS"].includes(this.#fields.service.value || this.dataset.service) ? "sms" : "imessage"
  }

  // Keys and clicks

  #pressed(event) {
    if (event.key === "Escape" && this.#fields.reply_to.value && event.target === this.#text) {
      event.stopPropagation()
      return this.#answer({ message: "" })
    }
    if (event.target !== this.#text) return
    if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey) || event.isComposing) return
    event.preventDefault()
    this.#form.requestSubmit()
  }

  #clicked(event) {
    const to = (selector) => event.target.closest(selector)
    if (to("[data-set-mode]")) return this.#setMode(to("[data-set-mode]").dataset.setMode)
    if (to("[data-attach]")) return this.querySelector("[data-files]").click()
    if (to("[data-photo-button]")) return this.querySelector("[data-camera]").click()
    if (to("[data-record]")) return this.#record(true)
    if (to("[data-send-memo]")) return this.#sendMemo()
    if (to("[data-effects]")) return this.#openEffects()
    if (to("[data-no-effect]")) return this.#choose("effect", "")
    if (to("[data-no-reply]")) return this.#answer({ message: "" })
    if (to("[data-show-typing]")) return this.#toggleTyping(to("[data-show-typing]"))
    if (to("[data-show-latest]")) return this.#showLatest()
    const choice = to("[data-service-choice]")
    if (choice && choice.getAttribute("aria-disabled") !== "true") this.#chooseService(choice)
    const emoji = to(".composer__emoji > button") && this.querySelector("[data-emoji]")
    if (emoji) emoji.replaceChildren(...(emoji.hidden ? [] : [document.createElement("emoji-picker")]))
  }

  #chooseService(choice) {
    this.#fields.service.value = choice.dataset.serviceChoice
    const button = choice.closest("pop-over").querySelector("button")
    button.querySelector(".service-dot").dataset.service = choice.dataset.shownAs.toLowerCase()
    button.querySelector("[data-service-name]").textContent = choice.dataset.label
    for (const other of choice.parentElement.children) other.setAttribute("aria-checked", String(other === choice))
    button.click()
    this.#showMode()
    this.#text.focus()
  }

  // Choices that go with the message

  #choose(name, value, label = "") {
    this.#fields[name].value = value
    const shown = this.querySelector(".composer__effect")
    shown.hidden = !value
    shown.querySelector("span").textContent = label
    this.#explain()
    if (!value && this.querySelector("effect-picker").hidden) this.#text.focus()
  }

  // What the service will not carry is said before it is sent.
  #explain() {
    const warning = this.querySelector("[data-about=effect]")
    const service = this.#fields.service.value || this.dataset.service
    const effect = this.querySelector(".composer__effect span").textContent
    const isLost = this.#mode === "reply" && this.#fields.effect.value && ["RCS", "SMS"].includes(service)
    warning.hidden = !isLost
    if (isLost) warning.querySelector("span").textContent = `Without ${effect.toLowerCase()}: this goes by ${service}, and effects are seen on iMessage only`
  }

  #answer({ message, part = 0, words = "" }) {
    if (message && !this.querySelector("[data-set-mode=reply]")) return
    if (message) this.#setMode("reply", { focus: false })
    this.#fields.reply_to.value = message
    this.#fields.reply_part.value = message ? part : ""
    const quote = this.querySelector(".composer__quote")
    quote.hidden = !message
    quote.querySelector("span").textContent = words
    this.#text.focus()
  }

  #openEffects() {
    const picker = this.querySelector("effect-picker")
    const isOpen = !picker.hidden
    if (isOpen) return this.#closeEffects()
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

  #insert(words) {
    this.#text.setRangeText(words, this.#text.selectionStart, this.#text.selectionEnd, "end")
    const emoji = this.querySelector(".composer__emoji[open] > button")
    emoji?.click()
    this.#text.focus()
    this.#typed()
  }

  // Typing

  #typed() {
    this.#warn("")
    // What has been changed is another message.
    if (this.#returned !== undefined && this.#text.value !== this.#returned) this.#renew()
    this.#grow()
    clearTimeout(this.#saving)
    this.#saving = setTimeout(() => this.#save(), SAVE_AFTER)
    if (this.dataset.typing === "auto") this.#text.value.trim() ? this.#showTyping() : this.#stopTyping()
  }

  #toggleTyping(button) {
    const isOn = button.getAttribute("aria-pressed") === "true"
    button.setAttribute("aria-pressed", String(!isOn))
    isOn ? this.#stopTyping() : this.#showTyping({ until: Infinity })
  }

  // Told at the first letter and each minute after it; over when the writer stops, sends, or takes a note.
  #showTyping({ until = TYPING_ENDS } = {}) {
    if (this.#mode !== "reply" || !this.dataset.typing) return
    const now = Date.now()
    if (now - this.#typing.told > TYPING_AGAIN) {
      this.#typing.told = now
      this.#tellTyping()
    }
    clearTimeout(this.#typing.timer)
    if (until < Infinity) this.#typing.timer = setTimeout(() => this.#stopTyping(), until)
    else this.#typing.timer = setTimeout(() => this.#showTyping({ until }), TYPING_AGAIN + 1000)
  }

  #stopTyping({ sent = false } = {}) {
    clearTimeout(this.#typing.timer)
    this.querySelector("[data-show-typing]")?.setAttribute("aria-pressed", "false")
    if (!this.#typing.told) return
    this.#typing.told = 0
    // A message that leaves takes the dots away by itself.
    if (!sent) this.#tellTyping({ ended: "1" })
  }

  #tellTyping(words = {}) {
    const body = new URLSearchParams(words)
    fetch(this.dataset.typingUrl, { method: "POST", headers: headers(), body, keepalive: true }).catch(() => null)
  }

  // Drafts

  #grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.#text.rows = Math.min(10, Math.max(2, this.#text.value.split("\n").length))
  }

  #leave() {
    this.#save({ leaving: true })
    this.#stopTyping()
  }

  #save({ leaving = false } = {}) {
    clearTimeout(this.#saving)
    const [text, mode] = [this.#text.value, this.#mode]
    if (text === this.#saved[mode]) return
    this.#saved[mode] = text
    const { chat, draftUrl } = this.dataset
    const body = new URLSearchParams({ text, mode })
    const post = () => fetch(draftUrl, { method: "POST", headers: headers(), body, keepalive: leaving })
    const tell = () => mode === "reply" && document.dispatchEvent(new CustomEvent("draft:saved", { detail: { chat, text } }))
    const done = (answer) => answer.ok && (tell(), this.#hint(text.trim() ? "Draft saved" : ""))
    const lost = () => (this.#saved[mode] = null)
    if (leaving) post().then(done, lost)
    else this.#line = this.#line.then(post).then(done, lost)
  }

  // Sending

  #submit(event) {
    event.preventDefault()
    if (this.#mode === "note") return this.#addNote()
    if (this.#files.isBusy) return this.#waitForFiles()
    if (this.#files.hasFailed) return this.#warn("One of the files did not arrive. Try it again, or remove it.")
    const said = this.#said()
    if (!said.text.trim() && !said.uploads.length) return this.#text.focus()
    clearTimeout(this.#saving)
    this.#show(said)
    this.#clear()
    this.#line = this.#line.then(() => this.#post(said))
  }

  #said() {
    const choices = Object.fromEntries(CHOICES.map((name) => [name, this.#fields[name].value]))
    const quote = this.querySelector(".composer__quote span").textContent
    const label = this.querySelector(".composer__effect span").textContent
    return { text: this.#text.value, key: this.#fields.key.value, uploads: this.#files.arrived, choices, quote, label }
  }

  // What leaves later is not there yet: its answer is put at the end of the thread.
  async #schedule({ sendAt, timeZone, asksFirst }) {
    if (this.#files.isBusy) return this.#warn("Wait until the files are there.")
    const said = this.#said()
    if (!said.text.trim() && !said.uploads.length) return this.#warn("Write first what is to be sent later.")
    const body = this.#body(said)
    body.append("send_at", sendAt)
    body.append("time_zone", timeZone)
    if (asksFirst) body.append("asks_first", "on")
    const url = `/chats/${this.dataset.chat}/schedule/`
    const answer = await fetch(url, { method: "POST", headers: headers(), body }).catch(() => null)
    const html = (await answer?.text().catch(() => "")) ?? ""
    if (!answer?.ok) return this.#warn(problemIn(html) ?? "The server could not be reached, so nothing is scheduled.")
    this.#clear()
    this.#messages.put(html, Number(answer.headers.get("X-Sequence")))
    this.#messages.scrollTop = 0
    this.#text.focus()
  }

  #waitForFiles() {
    this.#waitsForFiles = true
    this.#hint("Leaves when the files are there")
  }

  #filesChanged() {
    this.#files.hidden = this.#files.isEmpty || this.#mode === "note"
    if (this.#waitsForFiles && !this.#files.isBusy) {
      this.#waitsForFiles = false
      this.#hint("")
      this.#form.requestSubmit()
    }
  }

  #clear() {
    this.#text.value = this.#saved.reply = this.#texts.reply = ""
    this.#files.replace()
    for (const name of CHOICES) if (name !== "service") this.#fields[name].value = ""
    this.#stopTyping({ sent: true })
    this.#renew()
    this.#warn("")
    this.#hint("")
    this.#closeEffects()
    this.querySelector("[data-about=colleague]").hidden = true
    this.#showMode()
    const { chat } = this.dataset
    document.dispatchEvent(new CustomEvent("draft:saved", { detail: { chat, text: "" } }))
  }

  #renew() {
    this.#returned = undefined
    this.#fields.key.value = newKey()
  }

  // The bubble is there before the server has heard of it; its answer, or the socket, takes its place.
  #show({ text, key, uploads, quote, memo }) {
    const bubble = this.querySelector("[data-bubble]").content.firstElementChild.cloneNode(true)
    const at = new Date().toISOString()
    Object.assign(bubble.dataset, { key, at, author: document.body.dataset.user })
    bubble.querySelector("local-time").setAttribute("datetime", at)
    const said = bubble.querySelector(".message__bubble")
    said.innerText = [...uploads.map((file) => file.name), memo && "Voice memo", text.trim()].filter(Boolean).join("\n")
    if (quote) {
      const original = Object.assign(document.createElement("p"), { className: "quote" })
      original.append(Object.assign(document.createElement("span"), { textContent: quote }))
      said.before(original)
    }
    this.#messages.put(bubble)
    this.#messages.scrollTop = 0
  }

  #body(said) {
    const body = new FormData()
    body.append("text", said.text)
    body.append("key", said.key)
    for (const [name, value] of Object.entries(said.choices)) if (value) body.append(name, value)
    for (const { id } of said.uploads) body.append("uploads", id)
    if (said.memo) body.append("is_voice_memo", "on")
    return body
  }

  #post(said) {
    return fetch(this.dataset.replyUrl, { method: "POST", headers: headers(), body: this.#body(said) })
      .catch(() => null)
      .then((answer) => this.#answered(answer, said))
  }

  async #answered(answer, said) {
    const html = (await answer?.text().catch(() => "")) ?? ""
    if (answer?.status === 200) {
      this.#messages?.put(html, Number(answer.headers.get("X-Sequence")))
      return document.dispatchEvent(new CustomEvent("message:sent"))
    }
    this.#messages?.take(said.key)
    if (answer?.status === 422) this.#giveBack({ ...said, key: newKey() }, problemIn(html) ?? "It was not sent.")
    else if (answer?.status === 403 || answer?.status === 404)
      this.#giveBack({ ...said, key: newKey() }, "You may no longer answer here. Your text is still in the field.")
    else this.#giveBack(said, "The server could not be reached, so nothing was sent. Press Send to try again.")
  }

  // The same key again where it is not known whether the message arrived: then it cannot arrive twice.
  #giveBack(said, why) {
    this.#setMode("reply", { focus: false })
    const later = this.#text.value
    this.#text.value = [said.text, later].filter((words) => words.trim()).join("\n")
    this.#files.replace([...said.uploads, ...this.#files.arrived])
    if (!later.trim()) {
      for (const [name, value] of Object.entries(said.choices)) this.#fields[name].value = value
      this.querySelector(".composer__quote span").textContent = said.quote
      this.querySelector(".composer__effect span").textContent = said.label
    }
    this.#fields.key.value = later.trim() ? newKey() : said.key
    this.#returned = this.#text.value
    this.#showMode()
    this.#grow()
    this.#warn(why)
  }

  // It had arrived after all: what came back into the field is not sent again. And what others did meanwhile is said.
  #arrived({ chat, message, event }) {
    if (chat !== this.dataset.chat || !message) return
    if (message.includes(`data-key="${this.#fields.key.value}"`)) return this.#clear()
    if (event !== "inbox.message_queued" || this.#mode !== "reply" || !this.#text.value.trim()) return
    const item = new DOMParser().parseFromString(message, "text/html").querySelector(".message")
    const name = item?.querySelector(".message__by by-line")
    if (!name || name.dataset.user === document.body.dataset.user) return
    const warning = this.querySelector("[data-about=colleague]")
    warning.querySelector("span").textContent = `${name.textContent} answered since you began`
    warning.hidden = false
  }

  #showLatest() {
    this.querySelector("[data-about=colleague]").hidden = true
    this.#messages.latest()
    this.#text.focus()
  }

  // Notes

  #addNote() {
    const [text, key] = [this.#text.value, this.#fields.key.value]
    if (!text.trim()) return this.#text.focus()
    clearTimeout(this.#saving)
    this.#text.value = this.#texts.note = this.#saved.note = ""
    this.#renew()
    this.#hint("")
    this.#grow()
    this.#line = this.#line.then(() => this.#postNote(text, key))
  }

  async #postNote(text, key) {
    const body = new URLSearchParams({ text, key })
    const url = `/chats/${this.dataset.chat}/notes/`
    const answer = await fetch(url, { method: "POST", headers: headers(), body }).catch(() => null)
    const html = (await answer?.text().catch(() => "")) ?? ""
    if (answer?.ok) return this.#messages?.put(html, Number(answer.headers.get("X-Sequence")))
    this.#text.value = [text, this.#text.value].filter((words) => words.trim()).join("\n")
    if (answer?.status !== 422) this.#fields.key.value = key
    this.#warn(answer?.status === 422 ? new DOMParser().parseFromString(html, "text/html").body.textContent.trim() : "The note was not kept. Try it again.")
  }

  // Files and memos

  #pasted(event) {
    if (event.clipboardData.files.length) this.#attach(event.clipboardData.files, event)
  }

  #dropped(event) {
    const { files } = event.dataTransfer
    const url = event.dataTransfer.getData("text/uri-list").split("\n").find((line) => /^https:/.test(line))
    if (files.length) return this.#attach(files, event)
    if (!url || this.#mode === "note") return
    event.preventDefault()
    this.#files.fetch(url)
  }

  #attach(files, event) {
    if (!files?.length || this.#mode === "note") return
    event?.preventDefault()
    if (!this.#files.add(files)) this.#warn("Twenty files are the most for one message.")
    for (const input of this.querySelectorAll("[type=file]")) input.value = ""
  }

  async #record(isOn) {
    const [text, tools] = [this.#text, this.querySelector(".composer__tools")]
    if (isOn) {
      try {
        await this.#recorder.start()
      } catch {
        return this.#warn("The microphone cannot be used. Allow it in the browser, then try again.")
      }
    }
    text.hidden = tools.hidden = isOn
    this.#hint(isOn ? "Recording" : "")
    if (!isOn) text.focus()
  }

  async #sendMemo() {
    const file = this.#recorder.memo
    const said = { text: "", key: newKey(), uploads: [], choices: {}, quote: "", label: "", memo: true }
    for (const name of ["service"]) said.choices[name] = this.#fields[name].value
    this.#recorder.close()
    this.#record(false)
    this.#show(said)
    this.#line = this.#line.then(async () => {
      const body = new FormData()
      body.append("file", file)
      body.append("voice", "1")
      const answer = await fetch(this.#files.dataset.url, { method: "POST", headers: headers(), body }).catch(() => null)
      if (answer?.ok) return this.#post({ ...said, uploads: [await answer.json()] })
      this.#messages?.take(said.key)
      this.#files.add([file])
      this.#warn(answer?.status === 422 ? await answer.text() : "The memo did not reach the server. It is kept as a file; press Send to try again.")
    })
  }

  // Words

  #warn(words) {
    const warning = this.querySelector(".composer__warning")
    warning.textContent = words
    warning.hidden = !words
  }

  #hint(words) {
    this.querySelector(".composer__hint").textContent = words
  }
}

function problemIn(html) {
  return new DOMParser().parseFromString(html, "text/html").querySelector(".composer__problem")?.textContent.trim()
}

function newKey() {
  // Not randomUUID, which is there only behind https.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 15) | 64
  bytes[8] = (bytes[8] & 63) | 128
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

customElements.define("message-composer", MessageComposer)
