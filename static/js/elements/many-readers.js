// That very many will read this: said once a day in each group, until something was sent to it.
class ManyReaders extends HTMLElement {
  connectedCallback() {
    this.hidden = localStorage.getItem(this.#key) === today()
    document.addEventListener("message:sent", this.#sent)
  }

  disconnectedCallback() {
    document.removeEventListener("message:sent", this.#sent)
  }

  get #key() {
    return `readers-${this.dataset.chat}`
  }

  #sent = () => {
    localStorage.setItem(this.#key, today())
    this.hidden = true
  }
}

const today = () => new Date().toDateString()

customElements.define("many-readers", ManyReaders)
