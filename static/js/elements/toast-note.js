// What has just been done: gone after five seconds, unless the reader is about to undo it, or when the next comes.
class ToastNote extends HTMLElement {
  #timer

  connectedCallback() {
    for (const other of [...this.parentElement.children]) if (other !== this && other.matches("toast-note")) other.remove()
    this.#start()
    this.addEventListener("pointerenter", () => clearTimeout(this.#timer))
    this.addEventListener("pointerleave", () => this.#start())
    this.addEventListener("focusin", () => clearTimeout(this.#timer))
    this.addEventListener("focusout", () => this.#start())
    this.addEventListener("htmx:afterRequest", () => this.remove())
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  #start() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.remove(), 5000)
  }
}

customElements.define("toast-note", ToastNote)
