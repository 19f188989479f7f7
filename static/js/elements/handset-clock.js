// The clock of a customer's phone: the reader's own time.
class HandsetClock extends HTMLElement {
  #timer

  connectedCallback() {
    this.#tick()
    this.#timer = setInterval(() => this.#tick(), 5000)
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
  }

  #tick() {
    this.textContent = new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit", hour12: false })
  }
}

customElements.define("handset-clock", HandsetClock)
