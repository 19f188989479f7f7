// What the guard says of what is being written in the form around it, asked whenever the text has rested for a moment.
// It hints: what is sent is judged again.
import { post } from "composer/sending"

const REST = 500

class GuardWords extends HTMLElement {
  #leaving
  #timer
  #asked = 0
  #said

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.#form.addEventListener("input", () => this.#later(), { signal })
    // The composer has emptied itself, or a reply came back into it.
    document.addEventListener("message:sent", () => this.#later(), { signal })
    document.addEventListener("conversation:mode", () => this.#later(), { signal })
    if (this.#text) this.#later()
  }

  disconnectedCallback() {
    this.#leaving.abort()
    clearTimeout(this.#timer)
  }

  get #form() {
    return this.closest("form")
  }

  get #text() {
    return this.#form.dataset.mode === "reply" ? this.#form.elements.text.value : ""
  }

  #later() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ask(), REST)
  }

  async #ask() {
    const asked = ++this.#asked
    const { ok, html } = await post(this.dataset.url, new URLSearchParams({ text: this.#text }))
    // Somebody typed on meanwhile: the next answer is the one that counts.
    if (!ok || asked !== this.#asked || !this.isConnected) return
    // The same words are not read out again.
    if (html !== this.#said) this.innerHTML = this.#said = html
  }
}

customElements.define("guard-words", GuardWords)
