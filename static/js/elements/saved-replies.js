// Saved replies: “/” at the start of a word, or the button, opens a list over the text of the form it stands in; arrows
// choose, Enter inserts. A place that nobody could fill in stays in the text, and is pointed at before it is sent.
const AFTER = 120
const BEGUN = /(?:^|\s)\/(\S{0,40})$/
const GAP = /\{(?:name|first_name|line|agent)\}/

class SavedReplies extends HTMLElement {
  #leaving
  #finding
  #asked = 0
  // Where in the text begins what the reply will replace; undefined while the list is closed.
  #from
  // The text of which has been said that it has gaps.
  #warned

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const form = this.closest("form")
    const before = { signal, capture: true }
    this.querySelector("[data-opener]").addEventListener("click", () => this.#toggle(), { signal })
    this.#text.addEventListener("input", () => this.#typed(), { signal })
    this.#text.addEventListener("blur", (event) => this.#left(event), { signal })
    this.addEventListener("focusout", (event) => this.#left(event), { signal })
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault(), { signal })
    this.#list.addEventListener("click", ({ target }) => this.#insert(target.closest("[role=option]")), { signal })
    // Ahead of the composer, for which Enter and Escape mean something else.
    form.addEventListener("keydown", (event) => this.#pressed(event), before)
    form.parentElement.addEventListener("submit", (event) => this.#check(event), before)
    form.parentElement.addEventListener("composer:schedule", (event) => this.#check(event), before)
  }

  disconnectedCallback() {
    clearTimeout(this.#finding)
    this.#leaving.abort()
  }

  get #text() {
    return this.closest("form").elements.text
  }

  get #list() {
    return this.querySelector("[data-found]")
  }

  get #options() {
    return [...this.#list.querySelectorAll("[role=option]")]
  }

  get #chosen() {
    return this.#list.querySelector("[data-active]")
  }

  #toggle() {
    if (this.#from !== undefined) return this.#close()
    this.#from = this.#text.selectionStart
    this.#text.focus()
    this.#find("")
  }

  #typed() {
    this.#warned = undefined
    const caret = this.#text.selectionStart
    const typed = this.#text.value.slice(0, caret)
    const begun = typed.match(BEGUN)
    if (begun) {
      this.#from = caret - begun[1].length - 1
      clearTimeout(this.#finding)
      this.#finding = setTimeout(() => this.#find(begun[1]), AFTER)
    } else if (this.#from !== undefined) this.#close()
  }

  async #find(words) {
    const asked = ++this.#asked
    const answer = await fetch(`${this.dataset.url}?${new URLSearchParams({ q: words })}`).catch(() => null)
    if (!answer?.ok || asked !== this.#asked || this.#from === undefined) return
    this.#list.innerHTML = await answer.text()
    this.#open()
    this.#choose(this.#options[0])
  }

  #open() {
    this.querySelector(".popover").hidden = false
    this.querySelector("[data-opener]").setAttribute("aria-expanded", "true")
  }

  #close() {
    clearTimeout(this.#finding)
    this.#asked++
    this.#from = undefined
    this.querySelector(".popover").hidden = true
    this.querySelector("[data-opener]").setAttribute("aria-expanded", "false")
    this.#list.replaceChildren()
    this.#point(null)
  }

  #left({ relatedTarget }) {
    if (relatedTarget !== this.#text && !this.contains(relatedTarget)) this.#close()
  }

  #choose(option) {
    for (const other of this.#options) {
      other.toggleAttribute("data-active", other === option)
      other.setAttribute("aria-selected", String(other === option))
    }
    option?.scrollIntoView({ block: "nearest" })
    this.#point(option)
  }

  // What a screen reader reads while the caret stays in the text.
  #point(option) {
    const names = { "aria-controls": "saved-replies", "aria-activedescendant": option?.id, "aria-autocomplete": "list" }
    for (const [name, value] of Object.entries(names)) {
      if (option) this.#text.setAttribute(name, value)
      else this.#text.removeAttribute(name)
    }
  }

  #pressed(event) {
    if (this.#from === undefined || event.isComposing) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const options = this.#options
    const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey && !event.shiftKey
    if (event.key === "Escape") {
      this.#close()
      this.#text.focus()
    } else if (event.target !== this.#text || !isPlain || !options.length) return
    else if (step) this.#choose(options.at((options.indexOf(this.#chosen) + step) % options.length))
    else if (event.key === "Enter" || event.key === "Tab") this.#insert(this.#chosen)
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  #insert(option) {
    if (!option) return
    const [text, from, words] = [this.#text, this.#from, option.dataset.text]
    text.focus()
    text.setRangeText(words, from, Math.max(from, text.selectionStart), "end")
    this.#close()
    text.dispatchEvent(new InputEvent("input", { bubbles: true }))
    this.#show(from)
  }

  // The first gap from there on is selected, so that typing fills it.
  #show(from) {
    const gap = this.#text.value.slice(from).match(GAP)
    if (gap) this.#text.setSelectionRange(from + gap.index, from + gap.index + gap[0].length)
    return gap?.[0]
  }

  // Once for each text: who sends it again means it.
  #check(event) {
    const { value } = this.#text
    if (!this.closest("form").contains(event.target) || !GAP.test(value) || this.#warned === value) return
    if (event.type === "submit" && this.closest("form").dataset.mode === "note") return
    event.preventDefault()
    event.stopImmediatePropagation()
    this.#warned = value
    this.#text.focus()
    const warning = this.closest("form").querySelector(".composer__warning")
    warning.textContent = `${this.#show(0)} is not filled in. Write what belongs there, or send it once more as it is.`
    warning.hidden = false
  }
}

customElements.define("saved-replies", SavedReplies)
