// Whoever is named here may be the reader: then it says “You”. A number becomes the name that the page knows.
class ByLine extends HTMLElement {
  connectedCallback() {
    this.name()
  }

  // Again, once the page knows more people.
  name() {
    const { user, handle, you = "You", full } = this.dataset
    if (user && user === document.body.dataset.user) this.textContent = you
    const known = handle && document.querySelector(`[data-name][data-handle="${CSS.escape(handle)}"]`)
    if (known) this.textContent = (full !== undefined && known.dataset.fullName) || known.dataset.name
  }
}

customElements.define("by-line", ByLine)
