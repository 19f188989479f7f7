// Whoever is named here may be the reader: then it says “You”. A number becomes the name that the page knows.
class ByLine extends HTMLElement {
  connectedCallback() {
    const { user, handle, you = "You" } = this.dataset
    if (user && user === document.body.dataset.user) this.textContent = you
    const known = handle && document.querySelector(`[data-name][data-handle="${CSS.escape(handle)}"]`)
    if (known) this.textContent = known.dataset.name
  }
}

customElements.define("by-line", ByLine)
