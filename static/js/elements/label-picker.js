// The labels of a conversation, drawn by the server: type to find or to make one, tick with space, Enter or a click.
class LabelPicker extends HTMLElement {
  connectedCallback() {
    this.#button.addEventListener("click", () => (this.#isOpen ? this.#close() : this.#open()))
    this.addEventListener("keydown", (event) => this.#pressed(event))
    this.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !this.contains(relatedTarget) && this.#close())
    this.addEventListener("htmx:afterSwap", () => this.#swapped())
    document.addEventListener("click", this.#elsewhere)
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.#elsewhere)
  }

  get #button() {
    return this.querySelector("button")
  }

  get #surface() {
    return this.querySelector(".popover")
  }

  get #field() {
    return this.#surface.querySelector("input")
  }

  get #isOpen() {
    return this.hasAttribute("open")
  }

  async #open() {
    const chat = document.getElementById("conversation")?.dataset.chat
    if (!chat) return
    this.toggleAttribute("open", true)
    this.#button.setAttribute("aria-expanded", "true")
    // Settled at once: whoever types as soon as there is a field is heard.
    const drawn = { target: this.#surface, swap: "innerHTML settle:0ms", source: this.#surface }
    await htmx.ajax("GET", `/chats/${chat}/labels/`, drawn)
    if (!this.#isOpen || !this.#field) return
    this.#surface.hidden = false
    this.#field.focus()
  }

  #close() {
    if (!this.#isOpen) return
    this.removeAttribute("open")
    this.#surface.hidden = true
    this.#surface.replaceChildren()
    this.#button.setAttribute("aria-expanded", "false")
    // What happened beside it while it was open is drawn now.
    this.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
  }

  #pressed(event) {
    if (!this.#isOpen) return
    if (event.key === "Escape") {
      event.stopPropagation()
      this.#close()
      return this.#button.focus()
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const places = [this.#field, ...this.#surface.querySelectorAll("[role^=menuitem]")]
    const at = places.indexOf(document.activeElement)
    if (!step || at < 0) return
    event.preventDefault()
    places.at((at + step) % places.length).focus()
  }

  // One that was made is ticked now, and the field is free for the next.
  #swapped() {
    if (!this.#isOpen || this.contains(document.activeElement)) return
    this.#field?.focus()
    this.#field?.select()
  }

  #elsewhere = ({ target }) => {
    if (target.isConnected && !this.contains(target)) this.#close()
  }
}

customElements.define("label-picker", LabelPicker)
