// A list and a field that leaves of it what has all the words that are typed; groups without anything left go too.
class FilterList extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-filter]").addEventListener("input", ({ target }) => this.#filter(target.value))
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
      group.hidden = false
      found += 1
    }
    this.querySelector("[data-nothing]").hidden = found > 0
  }
}

customElements.define("filter-list", FilterList)
