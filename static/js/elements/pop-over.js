// A button and what it opens. Arrows walk through the choices, Escape and a click elsewhere close it.
class PopOver extends HTMLElement {
  connectedCallback() {
    this.#button.addEventListener("click", () => this.#toggle())
    this.addEventListener("keydown", (event) => this.#walk(event))
    this.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.contains(relatedTarget)) this.#close()
    })
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

  get #choices() {
    return [...this.#surface.querySelectorAll("[role^=menuitem]")]
  }

  #toggle() {
    if (this.hasAttribute("open")) return this.#close()
    this.toggleAttribute("open", true)
    this.#surface.hidden = false
    this.#button.setAttribute("aria-expanded", "true")
    const choices = this.#choices
    const field = this.#surface.querySelector("input:not([type=hidden])")
    ;(choices.find((choice) => choice.getAttribute("aria-checked") === "true") ?? choices[0] ?? field)?.focus()
  }

  #close() {
    this.removeAttribute("open")
    this.#surface.hidden = true
    this.#button.setAttribute("aria-expanded", "false")
  }

  #walk(event) {
    if (!this.hasAttribute("open")) return
    if (event.key === "Escape") {
      event.stopPropagation()
      this.#close()
      return this.#button.focus()
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const choices = this.#choices
    if (!step || !choices.length) return
    event.preventDefault()
    const at = choices.indexOf(document.activeElement)
    choices[(at + step + choices.length) % choices.length]?.focus()
  }

  #elsewhere = (event) => {
    if (this.hasAttribute("open") && !this.contains(event.target)) this.#close()
  }
}

customElements.define("pop-over", PopOver)
