// Opens the chosen thread of the phone as soon as it is chosen.
class HandsetThreads extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => event.target.form.requestSubmit())
  }
}

customElements.define("handset-threads", HandsetThreads)
