// Copies what `data-copy` names (or holds), and says that it did.
class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async () => {
      const source = document.querySelector(this.dataset.from)
      await navigator.clipboard.writeText(source ? (source.value ?? source.textContent).trim() : this.dataset.copy)
      const button = this.querySelector("button")
      const words = button.textContent
      button.textContent = this.dataset.done ?? "Copied"
      setTimeout(() => (button.textContent = words), 1500)
    })
  }
}

customElements.define("copy-button", CopyButton)
