// A text with a button that turns it into a field: Enter saves, Escape leaves it as it was.
class InlineEdit extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-edit]").addEventListener("click", () => this.#open())
    this.querySelector("[data-cancel]").addEventListener("click", () => this.#close())
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.hasAttribute("open")) return
      event.stopPropagation()
      this.#close()
    })
  }

  #open() {
    this.#show(true)
    this.querySelector("input").select()
  }

  #close() {
    this.querySelector("form").reset()
    this.#show(false)
    this.querySelector("[data-edit]").focus()
  }

  #show(isOpen) {
    this.toggleAttribute("open", isOpen)
    // The heading stays for those who do not see it.
    for (const part of this.children) {
      if (part.matches("h2")) part.classList.toggle("visually-hidden", isOpen)
      else part.hidden = part.matches("form") !== isOpen
    }
  }
}

customElements.define("inline-edit", InlineEdit)
