// Empties the field when what was in it has left, and sends a photo as soon as it is chosen.
class HandsetCompose extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.#choose)
    this.addEventListener("htmx:afterRequest", this.#finish)
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#choose)
    this.removeEventListener("htmx:afterRequest", this.#finish)
  }

  #choose = (event) => {
    if (event.target.type === "file" && event.target.files.length) event.target.form.requestSubmit()
  }

  #finish = (event) => {
    const form = this.querySelector("form")
    if (event.detail.successful) form.elements.text.value = ""
    form.elements.photo.value = ""
    form.elements.text.focus()
  }
}

customElements.define("handset-compose", HandsetCompose)
