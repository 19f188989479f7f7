// One effect for the message that is being written, shown as it will look.
import { play } from "effects"

class EffectPicker extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.#pressed(event))
    this.addEventListener("keydown", (event) => this.#walk(event))
  }

  // Opens with what is chosen, and with the words that will carry it.
  open(chosen, words) {
    this.hidden = false
    this.querySelector(".effect-picker__preview > p").textContent = words.trim().slice(0, 80) || "See you soon!"
    for (const choice of this.#choices) choice.setAttribute("aria-checked", String(choice.value === chosen))
    const first = this.#choices.find((choice) => choice.value === chosen) ?? this.#choices[0]
    this.#reach(first)
    first.focus()
    if (chosen) this.#show(chosen)
  }

  close() {
    this.hidden = true
  }

  get #choices() {
    return [...this.querySelectorAll("[role=radio]")]
  }

  #pressed(event) {
    const choice = event.target.closest("[role=radio]")
    if (choice) return this.#choose(choice)
    if (event.target.closest("[data-again]")) this.#show(this.querySelector("[aria-checked=true]")?.value)
    if (event.target.closest("[data-close]")) this.#done()
  }

  #choose(choice) {
    const isOn = choice.getAttribute("aria-checked") === "true"
    for (const other of this.#choices) other.setAttribute("aria-checked", String(other === choice && !isOn))
    this.#reach(choice)
    const effect = isOn ? "" : choice.value
    this.dispatchEvent(new CustomEvent("effect:chosen", { detail: { effect, label: choice.textContent }, bubbles: true }))
    if (effect) this.#show(effect)
  }

  #reach(choice) {
    for (const other of this.#choices) other.tabIndex = other === choice ? 0 : -1
  }

  #show(effect) {
    const stage = this.querySelector(".effect-picker__preview")
    if (effect) play(effect, { bubble: stage.querySelector("p"), stage })
  }

  #walk(event) {
    if (event.key === "Escape") {
      event.stopPropagation()
      return this.#done()
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 4, ArrowUp: -4 }[event.key]
    const choices = this.#choices
    const at = choices.indexOf(document.activeElement)
    if (!step || at < 0) return
    event.preventDefault()
    const next = choices[(at + step + choices.length) % choices.length]
    this.#reach(next)
    next.focus()
  }

  #done() {
    this.close()
    this.dispatchEvent(new CustomEvent("effect:done", { bubbles: true }))
  }
}

customElements.define("effect-picker", EffectPicker)
