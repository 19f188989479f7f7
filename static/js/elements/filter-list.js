import { bringInSight } from "in-sight"

// A list and a field that leaves of it what has all the words that are typed; groups without anything left go too.
// The link to what the address names is marked.
class FilterList extends HTMLElement {
  #goTo = () => this.#mark()

  connectedCallback() {
    const field = this.querySelector("[data-filter]")
    field.addEventListener("input", () => this.#filter(field.value))
    // Its rows may be told anew.
    this.addEventListener("htmx:load", () => this.#filter(field.value))
    addEventListener("hashchange", this.#goTo)
    this.#mark()
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.#goTo)
  }

  #mark() {
    const here = [...this.querySelectorAll("a[data-item]")].filter((link) => link.pathname === location.pathname)
    const open = here.find((link) => link.hash === location.hash) ?? here[0]
    for (const link of here) link.removeAttribute("aria-current")
    open?.setAttribute("aria-current", "true")
    if (open) bringInSight(open)
  }

  #filter(typed) {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
    let group, found = 0
    for (const row of this.querySelectorAll("[data-group], [data-item]")) {
      if (row.dataset.group !== undefined) {
        group = row
        group.hidden = words.length > 0
        continue
      }
      const text = `${row.textContent} ${row.dataset.words ?? ""}`.toLowerCase()
      row.hidden = !words.every((word) => text.includes(word))
      if (row.hidden) continue
      if (group) group.hidden = false
      found += 1
    }
    this.querySelector("[data-nothing]").hidden = found > 0
  }
}

customElements.define("filter-list", FilterList)
