// Searching: the address follows what is typed, arrows walk through what was found, the menu writes filters.
class SearchList extends HTMLElement {
  #leaving

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.addEventListener("keydown", (event) => this.#walk(event), { signal })
    this.addEventListener("click", (event) => this.#write(event), { signal })
    this.#field.addEventListener("change", () => this.#tidy(), { signal })
    document.addEventListener("htmx:afterSettle", ({ detail }) => detail.target?.id === "results" && this.#found(), { signal })
    document.addEventListener("conversation:shown", () => this.#mark(), { signal })
    this.#mark()
    if (document.body.dataset.screen === "list") this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length)
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #field() {
    return this.querySelector("[type=search]")
  }

  #found() {
    const { here } = document.getElementById("results").dataset
    if (!new URL(location).searchParams.has("at")) history.replaceState(null, "", here)
    if (this.#field.value.endsWith(" ")) this.#tidy()
    this.#mark()
  }

  // A filter that has been typed stands below the field from now on.
  #tidy() {
    const { words } = document.getElementById("filters").dataset
    const typed = this.#field.value
    if (words.trim() !== typed.trim() && /\p{L}:\S/u.test(typed)) this.#field.value = words && `${words} `
  }

  #mark() {
    const at = new URL(location).searchParams.get("at")
    for (const hit of this.querySelectorAll("[data-hit]")) {
      if (hit.dataset.hit === at) hit.setAttribute("aria-current", "true")
      else hit.removeAttribute("aria-current")
    }
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const places = [this.#field, ...this.querySelectorAll(".search-hit")]
    const at = places.indexOf(event.target)
    if (!step || at < 0 || !places[at + step]) return
    event.preventDefault()
    places[at + step].focus()
  }

  #write(event) {
    const item = event.target.closest("[data-writes]")
    if (!item || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    const [field, { writes }] = [this.#field, item.dataset]
    item.closest("pop-over").querySelector("button").click()
    field.value = `${field.value.trim()} ${writes}`.trim() + (writes.endsWith(":") ? "" : " ")
    field.focus()
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
}

customElements.define("search-list", SearchList)
