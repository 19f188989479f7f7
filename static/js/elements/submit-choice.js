// A form whose choices are sent as soon as they are made; without script it has a button.
class SubmitChoice extends HTMLElement {
  #send = ({ target }) => {
    if (target.matches("select")) target.form.requestSubmit()
  }

  connectedCallback() {
    this.addEventListener("change", this.#send)
    this.querySelector("button").hidden = true
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#send)
  }
}

customElements.define("submit-choice", SubmitChoice)
