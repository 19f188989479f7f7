// Somebody is typing, as far as is known: it goes by itself when nothing more is heard of it.
class TypingMark extends HTMLElement {
  #timer

  connectedCallback() {
    const left = Date.parse(this.dataset.until) - Date.now()
    if (left <= 0) return this.remove()
    this.#timer = setTimeout(() => this.remove(), left)
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }
}

customElements.define("typing-mark", TypingMark)
