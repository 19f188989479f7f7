// What one can do with a note: for its author, and for those who look after everybody's.
class NoteTools extends HTMLElement {
  connectedCallback() {
    const { user, role } = document.body.dataset
    this.hidden = this.dataset.author !== user && role !== "lead" && role !== "admin"
  }
}

customElements.define("note-tools", NoteTools)
