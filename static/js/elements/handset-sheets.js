// What slides up over the screen of a phone: [data-sheet] opens one, Escape, Cancel or something done closes it.
// A bubble's sheet opens by its button, by a long press and by the right mouse button.
const LONG_PRESS = 500

class HandsetSheets extends HTMLElement {
  #opener
  #press

  connectedCallback() {
    this.addEventListener("click", this.#click)
    this.addEventListener("keydown", this.#key)
    this.addEventListener("contextmenu", this.#menu)
    this.addEventListener("pointerdown", this.#down)
    for (const name of ["pointerup", "pointercancel", "pointermove"]) this.addEventListener(name, this.#up)
    this.addEventListener("htmx:afterRequest", this.#done)
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#click)
    this.removeEventListener("keydown", this.#key)
    this.removeEventListener("contextmenu", this.#menu)
    this.removeEventListener("pointerdown", this.#down)
    for (const name of ["pointerup", "pointercancel", "pointermove"]) this.removeEventListener(name, this.#up)
    this.removeEventListener("htmx:afterRequest", this.#done)
    clearTimeout(this.#press)
  }

  get #open() {
    return this.querySelector(".handset__sheet:not([hidden])")
  }

  get #compose() {
    return this.querySelector("handset-compose")
  }

  #click = (event) => {
    const opener = event.target.closest("[data-sheet]")
    if (opener) return this.#show(opener)
    const does = event.target.closest("[data-does]")
    if (does) return this.#do(does)
    if (this.#open && !event.target.closest(".handset__sheet")) this.#close()
  }

  #do(button) {
    const about = this.#opener?.dataset
    this.#close()
    if (button.dataset.does === "reply") this.#compose.answer(about)
    if (button.dataset.does === "effect") this.#compose.sendWith(button.value)
    if (button.dataset.does === "file") this.#compose.chooseFile()
  }

  #show(opener) {
    this.#close()
    this.#opener = opener
    const sheet = this.querySelector(`#sheet-${opener.dataset.sheet}`)
    if (opener.dataset.message) this.#fill(sheet, opener.dataset)
    sheet.hidden = false
    sheet.querySelector("button, input:not([type=hidden])").focus()
  }

  #fill(sheet, { message, part, words, mine, can }) {
    const form = sheet.querySelector("form")
    form.reset()
    form.elements.message.value = message
    form.elements.part.value = part
    form.elements.text.value = words
    sheet.querySelector("[data-about]").textContent = words
    for (const choice of sheet.querySelectorAll("[data-reaction]")) {
      choice.setAttribute("aria-pressed", choice.value === mine)
    }
    const abilities = can.split(" ")
    for (const piece of sheet.querySelectorAll("[data-needs]")) piece.hidden = !abilities.includes(piece.dataset.needs)
  }

  #close() {
    const sheet = this.#open
    if (!sheet) return
    const hadFocus = sheet.contains(document.activeElement)
    sheet.hidden = true
    // The opener may have been drawn anew meanwhile.
    if (hadFocus) (this.#opener?.isConnected ? this.#opener : this.querySelector(".handset__log")).focus()
  }

  #key = (event) => {
    if (event.key !== "Escape" || !this.#open) return
    event.stopPropagation()
    this.#close()
  }

  #touchOf(event) {
    return event.target.closest(".message__bubble")?.parentElement.querySelector("[data-sheet=touch]")
  }

  #menu = (event) => {
    const opener = this.#touchOf(event)
    if (!opener) return
    event.preventDefault()
    this.#show(opener)
  }

  #down = (event) => {
    const opener = event.pointerType === "touch" && this.#touchOf(event)
    if (opener) this.#press = setTimeout(() => this.#show(opener), LONG_PRESS)
  }

  #up = () => clearTimeout(this.#press)

  #done = (event) => {
    if (event.target.closest(".handset__sheet")) this.#close()
  }
}

customElements.define("handset-sheets", HandsetSheets)
