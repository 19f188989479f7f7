// Empties the field as the message leaves, and sends a photo as soon as it is chosen. What was refused comes back.
// While somebody writes, the carrier is told so: again each 50 s, until they pause, empty the field or go away.
const TOLD_AGAIN = 50_000
const PAUSE = 12_000

class HandsetCompose extends HTMLElement {
  #sent = ""
  #toldAt = 0
  #pause

  connectedCallback() {
    this.addEventListener("change", this.#choose)
    this.addEventListener("input", this.#type)
    this.addEventListener("click", this.#press)
    this.addEventListener("htmx:beforeSend", this.#leave)
    this.addEventListener("htmx:afterRequest", this.#finish)
    window.addEventListener("pagehide", this.#rest)
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#choose)
    this.removeEventListener("input", this.#type)
    this.removeEventListener("click", this.#press)
    this.removeEventListener("htmx:beforeSend", this.#leave)
    this.removeEventListener("htmx:afterRequest", this.#finish)
    window.removeEventListener("pagehide", this.#rest)
    clearTimeout(this.#pause)
  }

  // Answer this part of this message with what is written next; null: nothing.
  answer(original) {
    this.#fields.message.value = original?.message ?? ""
    this.#fields.part.value = original?.part ?? ""
    this.#bar.hidden = !original
    this.#bar.querySelector("b").textContent = original?.words ?? ""
    this.#fields.text.focus()
  }

  sendWith(effect) {
    this.#fields.effect.value = effect
    this.#form.requestSubmit()
  }

  chooseFile() {
    this.#fields.photo.click()
  }

  get #form() {
    return this.querySelector("form")
  }

  get #fields() {
    return this.#form.elements
  }

  get #bar() {
    return this.querySelector(".handset__answers")
  }

  #choose = (event) => {
    if (event.target.type === "file" && event.target.files.length) this.#form.requestSubmit()
  }

  #press = (event) => {
    if (event.target.closest(".handset__answers button")) this.answer(null)
  }

  #type = (event) => {
    if (event.target !== this.#fields.text) return
    if (!event.target.value) return this.#rest()
    if (Date.now() - this.#toldAt > TOLD_AGAIN) {
      this.#toldAt = Date.now()
      this.#tell(this.#form.dataset.typing)
    }
    clearTimeout(this.#pause)
    this.#pause = setTimeout(this.#rest, PAUSE)
  }

  #rest = () => {
    clearTimeout(this.#pause)
    if (this.#toldAt) this.#tell(this.#form.dataset.stopped)
    this.#toldAt = 0
  }

  #tell(address) {
    const said = new URLSearchParams({
      csrfmiddlewaretoken: this.#fields.csrfmiddlewaretoken.value,
      thread: this.#fields.thread.value,
    })
    fetch(address, { method: "POST", body: said, keepalive: true }).catch(() => {})
  }

  #leave = () => {
    this.#sent = this.#fields.text.value
    this.#fields.text.value = this.#fields.photo.value = this.#fields.effect.value = ""
    // The message itself ends the typing.
    clearTimeout(this.#pause)
    this.#toldAt = 0
    this.answer(null)
  }

  #finish = (event) => {
    // A 422 is swapped in, so htmx calls it a success.
    if (!(event.detail.xhr.status < 400)) this.#fields.text.value ||= this.#sent
  }
}

customElements.define("handset-compose", HandsetCompose)
