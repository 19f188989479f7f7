// The same request in several languages, one of them shown. What was chosen last holds for all of them, and for next time.
const KEPT = "code-language"

class CodeSamples extends HTMLElement {
  connectedCallback() {
    this.#list.hidden = false
    this.#list.addEventListener("click", ({ target }) => this.#choose(target.closest("[role=tab]")))
    this.#list.addEventListener("keydown", (event) => this.#walk(event))
    document.addEventListener("code-language", this.#follow)
    this.#show(localStorage.getItem(KEPT))
  }

  disconnectedCallback() {
    document.removeEventListener("code-language", this.#follow)
  }

  get #list() {
    return this.querySelector("[role=tablist]")
  }

  get #tabs() {
    return [...this.#list.children]
  }

  #follow = ({ detail }) => this.#show(detail)

  #choose(tab) {
    if (!tab) return
    localStorage.setItem(KEPT, tab.textContent)
    // What is chosen stays where it is, though the samples above it change their height.
    const before = tab.getBoundingClientRect().top
    document.dispatchEvent(new CustomEvent("code-language", { detail: tab.textContent }))
    tab.closest(".page__body")?.scrollBy(0, tab.getBoundingClientRect().top - before)
  }

  #walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const tabs = this.#tabs
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length]
    this.#choose(next)
    next.focus()
  }

  #show(language) {
    const chosen = this.#tabs.find((tab) => tab.textContent === language) ?? this.#tabs[0]
    for (const tab of this.#tabs) {
      const panel = document.getElementById(tab.getAttribute("aria-controls"))
      tab.setAttribute("aria-selected", String(tab === chosen))
      tab.tabIndex = tab === chosen ? 0 : -1
      panel.hidden = tab !== chosen
      if (tab === chosen) this.querySelector("copy-button").dataset.from = `#${panel.id}`
    }
  }
}

customElements.define("code-samples", CodeSamples)
