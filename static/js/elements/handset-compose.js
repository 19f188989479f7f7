// Empties the field as the message leaves, and sends a photo as soon as it is chosen. What was refused comes back.
class HandsetCompose extends HTMLElement {
  #sent = ""

  connectedCallback() {
    this.addEventListener("change", this.#choose)
    this.addEventListener("htmx:beforeSend", this.#leave)
    this.addEventListener("htmx:afterRequest", this.#finish)
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#choose)
    this.removeEventListener("htmx:beforeSend", this.#leave)
    this.removeEventListener("htmx:afterRequest", this.#finish)
  }

  get #fields() {
    return this.querySelector("form").elements
  }

  #choose = (event) => {
    if (event.target.type === "file" && event.target.files.length) event.target.form.requestSubmit()
  }

  #leave = () => {
    this.#sent = this.#fields.text.value
    this.#fields.text.value = this.#fields.photo.value = ""
    this.#fields.text.focus()
  }

  #finish = (event) => {
    // A 422 is swapped in, so htmx calls it a success.
    if (!(event.detail.xhr.status < 400)) this.#fields.text.value ||= this.#sent
  }
}

customElements.define("handset-compose", HandsetCompose)
