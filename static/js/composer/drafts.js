// What is being written, in each mode, kept on the server as it is typed.
import { headers } from "requests"

const SAVE_AFTER = 600

export class Drafts {
  #chat
  #url
  #hint
  #texts
  #saved
  #timer
  // Requests go one after the other, so that messages keep their order and a draft never follows its message.
  #line = Promise.resolve()

  // `texts` are those that the server has, by mode; `hint` says to the writer what became of one.
  constructor({ chat, url, texts, hint }) {
    this.#chat = chat
    this.#url = url
    this.#hint = hint
    this.#texts = { ...texts }
    this.#saved = { ...texts }
  }

  text(mode) {
    return this.#texts[mode] ?? ""
  }

  // Whatever is to happen after all that was asked before.
  next(work) {
    this.#line = this.#line.then(work)
  }

  typed(mode, text) {
    this.#texts[mode] = text
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.save(mode), SAVE_AFTER)
  }

  // The server also remembers in which mode one was.
  entered(mode) {
    this.#saved[mode] = null
    this.save(mode)
  }

  // It was sent: there the draft goes with it.
  sent(mode) {
    clearTimeout(this.#timer)
    this.#texts[mode] = this.#saved[mode] = ""
    this.#tell(mode, "")
  }

  save(mode, { leaving = false } = {}) {
    clearTimeout(this.#timer)
    const text = this.text(mode)
    if (text === this.#saved[mode]) return
    this.#saved[mode] = text
    const body = new URLSearchParams({ text, mode })
    const post = () => fetch(this.#url, { method: "POST", headers: headers(), body, keepalive: leaving })
    const done = (answer) => answer.ok && (this.#tell(mode, text), this.#hint(text.trim() ? "Draft saved" : ""))
    const lost = () => (this.#saved[mode] = null)
    if (leaving) post().then(done, lost)
    else this.next(() => post().then(done, lost))
  }

  #tell(mode, text) {
    if (mode === "reply") document.dispatchEvent(new CustomEvent("draft:saved", { detail: { chat: this.#chat, text } }))
  }
}
