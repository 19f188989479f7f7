// The form of a new conversation: what is chosen by hand stays chosen, and only Send or its key sends it.
import "elements/address-field"
import { landmark } from "navigation"

const named = (files) => (files.length > 2 ? `${files.length} files` : files.map((file) => file.name).join(", "))

class NewConversation extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form")
    form.addEventListener("addressed", ({ detail }) => (this.querySelector("#name-row").hidden = detail.count < 2))
    form.addEventListener("change", ({ target }) => {
      if (target.id === "line") form.elements.by_hand.value = "1"
      if (target.type === "file") this.querySelector(".start__chosen").textContent = named([...target.files])
    })
    document.addEventListener("htmx:oobAfterSwap", landmark)
    form.addEventListener("keydown", (event) => this.#pressed(event, form))
    if (!/Mac|iP/.test(navigator.platform)) this.querySelector("[data-key=send]").textContent = "Ctrl ↵"
  }

  // Enter in a field of one line would send what is half written.
  #pressed(event, form) {
    if (event.key !== "Enter" || event.isComposing) return
    const wantsToSend = event.metaKey || event.ctrlKey
    if (!wantsToSend && !event.target.matches("input:not([type=file])")) return
    event.preventDefault()
    if (wantsToSend) form.requestSubmit(form.querySelector(".start__send"))
  }
}

customElements.define("new-conversation", NewConversation)
