// Writing: the text grows, is kept on the server as it is typed, and leaves once, however often Send is pressed.
import { headers } from "requests"

const SAVE_AFTER = 600

class MessageComposer extends HTMLElement {
  #leaving
  #saving
  #saved
  #files = []
  // Text that came back because nobody knows whether it arrived.
  #returned
  // Requests go one after the other, so that messages keep their order and a draft never follows its message.
  #line = Promise.resolve()

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal })
    this.#saved = this.#text.value
    on(this.#form, "submit", (event) => this.#submit(event))
    on(this.#text, "input", () => this.#typed())
    on(this.#text, "keydown", (event) => this.#pressed(event))
    on(this.#text, "paste", (event) => this.#attach(event.clipboardData.files, event))
    on(this, "dragover", (event) => event.preventDefault())
    on(this, "drop", (event) => this.#attach(event.dataTransfer.files, event))
    on(this.querySelector("[data-attach]"), "click", () => this.#form.elements.files.click())
    on(this.#form.elements.files, "change", ({ target }) => this.#attach(target.files))
    on(document, "live:stale", () => this.#hint("Reconnecting… you can go on writing"))
    on(document, "live:fresh", () => this.#hint(""))
    on(document, "live:event", ({ detail }) => this.#arrived(detail))
    on(globalThis, "pagehide", () => this.#save({ leaving: true }))
    on(document, "visibilitychange", () => document.hidden && this.#save({ leaving: true }))
    if (matchMedia("(pointer: fine)").matches) this.#text.focus({ preventScroll: true })
    if (!/Mac|iP/.test(navigator.platform)) this.querySelector("[data-key=send]").textContent = "Ctrl ↵"
    this.#grow()
  }

  disconnectedCallback() {
    this.#save({ leaving: true })
    this.#leaving.abort()
  }

  get #form() {
    return this.querySelector("form")
  }

  get #text() {
    return this.#form.elements.text
  }

  get #messages() {
    return document.querySelector("message-list")
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey) || event.isComposing) return
    event.preventDefault()
    this.#form.requestSubmit()
  }

  #typed() {
    this.#warn("")
    // What has been changed is another message.
    if (this.#returned !== undefined && this.#text.value !== this.#returned) this.#renew()
    this.#grow()
    clearTimeout(this.#saving)
    this.#saving = setTimeout(() => this.#save(), SAVE_AFTER)
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.#text.rows = Math.min(10, Math.max(2, this.#text.value.split("\n").length))
  }

  #save({ leaving = false } = {}) {
    clearTimeout(this.#saving)
    const text = this.#text.value
    if (text === this.#saved) return
    this.#saved = text
    const { chat, draftUrl } = this.dataset
    const body = new URLSearchParams({ text })
    const post = () => fetch(draftUrl, { method: "POST", headers: headers(), body, keepalive: leaving })
    const tell = () => document.dispatchEvent(new CustomEvent("draft:saved", { detail: { chat, text } }))
    const done = (answer) => answer.ok && (tell(), this.#hint(text.trim() ? "Draft saved" : ""))
    const lost = () => (this.#saved = null)
    if (leaving) post().then(done, lost)
    else this.#line = this.#line.then(post).then(done, lost)
  }

  #submit(event) {
    event.preventDefault()
    const [text, files, key] = [this.#text.value, this.#files, this.#form.elements.key.value]
    if (!text.trim() && !files.length) return this.#text.focus()
    clearTimeout(this.#saving)
    this.#show(text, files, key)
    this.#clear()
    this.#line = this.#line.then(() => this.#post(text, files, key))
  }

  #clear() {
    this.#text.value = this.#saved = ""
    this.#files = []
    this.#renew()
    this.#form.elements.files.value = ""
    this.#list()
    this.#warn("")
    this.#hint("")
    this.#grow()
    const { chat } = this.dataset
    document.dispatchEvent(new CustomEvent("draft:saved", { detail: { chat, text: "" } }))
  }

  #renew() {
    this.#returned = undefined
    this.#form.elements.key.value = newKey()
  }

  // The bubble is there before the server has heard of it; its answer, or the socket, takes its place.
  #show(text, files, key) {
    const bubble = this.querySelector("[data-bubble]").content.firstElementChild.cloneNode(true)
    const at = new Date().toISOString()
    Object.assign(bubble.dataset, { key, at, author: document.body.dataset.user })
    bubble.querySelector("local-time").setAttribute("datetime", at)
    const said = bubble.querySelector(".message__bubble")
    said.innerText = [...files.map((file) => file.name), text.trim()].filter(Boolean).join("\n")
    this.#messages.put(bubble)
    this.#messages.scrollTop = 0
  }

  #post(text, files, key) {
    const body = new FormData()
    body.append("text", text)
    body.append("key", key)
    for (const file of files) body.append("files", file)
    return new Promise((resolve) => {
      const request = new XMLHttpRequest()
      request.open("POST", this.#form.action)
      for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
      if (files.length) request.upload.onprogress = (event) => this.#progress(event)
      request.onloadend = () => resolve(this.#answered(request, text, files, key))
      request.send(body)
    })
  }

  #answered(request, text, files, key) {
    this.#hint("")
    if (request.status === 200) {
      this.#messages?.put(request.responseText, Number(request.getResponseHeader("X-Sequence")))
      return document.dispatchEvent(new CustomEvent("message:sent"))
    }
    this.#messages?.take(key)
    const why = new DOMParser().parseFromString(request.responseText, "text/html").querySelector(".composer__problem")
    if (request.status === 422) this.#giveBack(text, files, newKey(), why?.textContent.trim() ?? "It was not sent.")
    else if (request.status === 403 || request.status === 404)
      this.#giveBack(text, files, newKey(), "You may no longer answer here. Your text is still in the field.")
    else this.#giveBack(text, files, key, "The server could not be reached, so nothing was sent. Press Send to try again.")
  }

  // The same key again where it is not known whether the message arrived: then it cannot arrive twice.
  #giveBack(text, files, key, why) {
    const later = this.#text.value
    this.#text.value = [text, later].filter((words) => words.trim()).join("\n")
    this.#files = [...files, ...this.#files]
    this.#form.elements.key.value = later.trim() ? newKey() : key
    this.#returned = this.#text.value
    this.#list()
    this.#grow()
    this.#warn(why)
  }

  // It had arrived after all: what came back into the field is not sent again.
  #arrived({ message }) {
    const { key } = this.#form.elements
    if (!message?.includes(`data-key="${key.value}"`)) return
    this.#clear()
  }

  #attach(files, event) {
    if (!files?.length) return
    event?.preventDefault()
    const room = 10 - this.#files.length
    const fitting = [...files].slice(0, room)
    const together = [...this.#files, ...fitting].reduce((sum, file) => sum + file.size, 0)
    if (together > Number(this.dataset.max)) this.#warn("These files are more than 100 MB together.")
    else this.#files.push(...fitting)
    if (files.length > room) this.#warn("Ten files are the most for one message.")
    this.#form.elements.files.value = ""
    this.#list()
  }

  #list() {
    const list = this.querySelector(".uploads")
    list.replaceChildren(...this.#files.map((file) => this.#chip(file)))
    list.hidden = !this.#files.length
  }

  #chip(file) {
    const chip = this.querySelector("[data-file]").content.firstElementChild.cloneNode(true)
    const kind = chip.querySelector(".file-card__kind")
    if (file.type.startsWith("image/")) {
      const picture = Object.assign(new Image(), { alt: "", src: URL.createObjectURL(file) })
      picture.onload = () => URL.revokeObjectURL(picture.src)
      kind.replaceWith(picture)
    } else kind.textContent = (file.name.match(/\.(\w{1,4})$/)?.[1] ?? "file").toUpperCase()
    chip.querySelector("b").textContent = file.name || "Pasted picture"
    chip.querySelector("small").textContent = size(file.size)
    chip.querySelector("button").setAttribute("aria-label", `Remove ${file.name}`)
    chip.querySelector("button").onclick = () => {
      this.#files = this.#files.filter((other) => other !== file)
      this.#list()
      this.#text.focus()
    }
    return chip
  }

  #progress({ loaded, total }) {
    if (loaded < total) this.#hint(`Uploading, ${Math.round((100 * loaded) / total)} %`)
  }

  #warn(words) {
    const warning = this.querySelector(".composer__warning")
    warning.textContent = words
    warning.hidden = !words
  }

  #hint(words) {
    this.querySelector(".composer__hint").textContent = words
  }
}

function newKey() {
  // Not randomUUID, which is there only behind https.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 15) | 64
  bytes[8] = (bytes[8] & 63) | 128
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`
  return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`
}

customElements.define("message-composer", MessageComposer)
