// Copies what `data-from` names, or `data-copy` holds, and says that it did.
class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async () => {
      const source = document.querySelector(this.dataset.from ?? "[data-nothing]")
      const text = source ? (source.value ?? source.textContent).trim() : this.dataset.copy
      if (await this.#copy(text, source)) this.#say()
    })
  }

  // Without https there is no clipboard; then the text is selected, one key away from being copied.
  async #copy(text, source) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false)
    source?.select?.()
    if (source && !source.select) getSelection().selectAllChildren(source)
    return false
  }

  #say() {
    const words = this.querySelector("button > span") ?? this.querySelector("button")
    const before = words.textContent
    words.textContent = this.dataset.done ?? "Copied"
    setTimeout(() => (words.textContent = before), 1500)
  }
}

customElements.define("copy-button", CopyButton)
