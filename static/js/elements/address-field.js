// To whom: each name or number becomes a chip, which the server fills in; what is typed finds the people one knows.
const AFTER = 150
const PARTS = /[,;\n\t]+/

class AddressField extends HTMLElement {
  #finding
  #all
  #active = -1

  connectedCallback() {
    const input = this.#input
    // The chips carry the values from now on; the field itself is only for typing.
    this.#all = Object.assign(document.createElement("input"), { type: "hidden", name: "to" })
    input.removeAttribute("name")
    input.value = ""
    this.prepend(this.#all)
    for (const chip of this.querySelector("[data-chips]").content.cloneNode(true).children) this.#put(chip.cloneNode(true))
    this.#tell({ quietly: true })
    input.addEventListener("input", () => this.#typed())
    input.addEventListener("keydown", (event) => this.#pressed(event))
    input.addEventListener("paste", (event) => this.#pasted(event))
    input.addEventListener("blur", () => this.#left())
    this.addEventListener("keydown", (event) => this.#walk(event))
    this.addEventListener("click", (event) => this.#clicked(event))
    // The focus stays in the field while somebody is chosen.
    this.#list.addEventListener("mousedown", (event) => event.preventDefault())
    input.form.addEventListener("click", ({ target }) => {
      const to = target.closest("[data-address]")
      if (to) this.#toggle(to.dataset.address)
    })
    input.form.addEventListener("submit", () => this.#left(), true)
  }

  get #input() {
    return this.querySelector("[role=combobox]")
  }

  get #list() {
    return this.querySelector("[role=listbox]")
  }

  get #options() {
    return [...this.#list.children]
  }

  get #chips() {
    return [...this.querySelectorAll(":scope > .chip")]
  }

  get values() {
    return this.#chips.map((chip) => chip.dataset.value)
  }

  #typed() {
    if (PARTS.test(this.#input.value)) return this.#take()
    this.#tell({ quietly: true })
    clearTimeout(this.#finding)
    this.#finding = setTimeout(() => this.#find(), AFTER)
  }

  #pasted(event) {
    const text = event.clipboardData.getData("text")
    if (!PARTS.test(text)) return
    event.preventDefault()
    this.#take(`${this.#input.value},${text}`)
  }

  #pressed(event) {
    const caret = this.#input.selectionStart === 0 && this.#input.selectionEnd === 0
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === "Enter" && !event.metaKey && !event.ctrlKey) {
      event.preventDefault()
      const option = this.#options[this.#active]
      option ? this.#choose(option) : this.#take()
    } else if (event.key === "Escape" && !this.#list.hidden) {
      event.stopPropagation()
      this.#close()
    } else if (step && !this.#list.hidden) {
      event.preventDefault()
      event.stopPropagation()
      this.#mark((this.#active + step + this.#options.length) % this.#options.length)
    } else if (event.key === "Backspace" && caret && !this.#input.value) {
      this.#remove(this.#chips.at(-1))
    } else if (event.key === "ArrowLeft" && caret) {
      this.#chips.at(-1)?.querySelector("button").focus()
    }
  }

  // Among the chips, whose buttons have the focus.
  #walk(event) {
    const chip = event.target.closest(".chip")
    if (!chip) return
    const chips = this.#chips
    const at = chips.indexOf(chip)
    const to = { ArrowLeft: chips[at - 1], ArrowRight: chips[at + 1] }
    if (event.key in to) {
      event.preventDefault()
      const next = to[event.key]?.querySelector("button")
      if (next || event.key === "ArrowRight") (next ?? this.#input).focus()
    } else if (event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault()
      this.#remove(chip)
    }
  }

  #clicked({ target }) {
    const option = target.closest("[role=option]")
    const remove = target.closest(".chip > button")
    if (option) this.#choose(option)
    else if (remove) this.#remove(remove.parentElement)
    else if (target === this) this.#input.focus()
  }

  async #find() {
    const words = this.#input.value.trim()
    if (!words) return this.#close()
    const answer = await fetch(`${this.dataset.people}?${new URLSearchParams({ q: words })}`).catch(() => null)
    if (!answer?.ok || words !== this.#input.value.trim() || !this.contains(document.activeElement)) return
    this.#list.innerHTML = await answer.text()
    for (const option of this.#options) if (this.values.includes(option.dataset.value)) option.remove()
    this.#options.forEach((option, index) => (option.id = `${this.#list.id}-${index}`))
    this.#list.hidden = !this.#options.length
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden))
    // A name means the first who has it; a number may be meant as it stands.
    this.#mark(this.#options.length && !isAddress(words) ? 0 : -1)
    this.#say(this.#options.length ? `${this.#options.length} found` : "Nobody found")
  }

  #mark(index) {
    this.#active = index
    this.#options.forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index))
      option.toggleAttribute("data-active", at === index)
    })
    const option = this.#options[index]
    option?.scrollIntoView({ block: "nearest" })
    if (option) this.#input.setAttribute("aria-activedescendant", option.id)
    else this.#input.removeAttribute("aria-activedescendant")
  }

  #close() {
    clearTimeout(this.#finding)
    this.#list.replaceChildren()
    this.#list.hidden = true
    this.#input.setAttribute("aria-expanded", "false")
    this.#mark(-1)
  }

  #choose(option) {
    this.#input.value = ""
    this.#close()
    this.#add([option.dataset.value])
    this.#input.focus()
  }

  #toggle(value) {
    const chip = this.#chips.find((chip) => chip.dataset.value === value)
    chip ? this.#remove(chip, { focus: false }) : this.#add([value])
  }

  // What is typed and finished is somebody, or a chip that says why it is nobody.
  #take(text = this.#input.value) {
    const words = text.split(PARTS).map((word) => word.trim())
    this.#input.value = ""
    this.#close()
    this.#add(words.filter(Boolean))
  }

  #left() {
    this.#close()
    if (isAddress(this.#input.value)) this.#take()
  }

  // The chips say at once what was typed, and who that is as soon as the server has said it.
  async #add(words) {
    const chips = [...new Set(words)].filter((word) => !this.values.includes(word)).map(plain)
    if (!chips.length) return this.#tell({ quietly: true })
    for (const chip of chips) this.#put(chip)
    this.#tell({ quietly: true })
    const query = new URLSearchParams(chips.map((chip) => ["to", chip.dataset.value]))
    const line = this.#input.form.elements.line?.value
    if (line) query.append("line", line)
    const answer = await fetch(`${this.dataset.chips}?${query}`).catch(() => null)
    if (answer?.ok) this.#fill(chips, await answer.text())
    this.#say(chips.map((chip) => chip.textContent).join(", "))
    this.#tell()
  }

  #fill(chips, html) {
    const template = document.createElement("template")
    template.innerHTML = html
    const filled = [...template.content.querySelectorAll(".chip")]
    const [first, ...rest] = chips.filter((chip) => chip.isConnected)
    if (!first) return
    for (const chip of rest) chip.remove()
    const others = this.values.filter((value) => value !== first.dataset.value)
    first.replaceWith(...filled.filter((chip) => !others.includes(chip.dataset.value)))
  }

  #put(chip) {
    this.#input.before(chip)
  }

  #remove(chip, { focus = true } = {}) {
    if (!chip) return
    const next = chip.nextElementSibling?.querySelector?.(":scope > button")
    chip.remove()
    if (focus) (next ?? this.#input).focus()
    this.#say("Removed")
    this.#tell()
  }

  #tell({ quietly = false } = {}) {
    const typed = this.#input.value.trim()
    this.#all.value = [...this.values, ...(typed ? [typed] : [])].join(", ")
    for (const button of this.#input.form.querySelectorAll("[data-address]"))
      button.setAttribute("aria-pressed", String(this.values.includes(button.dataset.address)))
    if (!quietly) this.dispatchEvent(new CustomEvent("addressed", { bubbles: true, detail: { count: this.values.length } }))
  }

  #say(words) {
    this.querySelector(":scope > [role=status]").textContent = words
  }
}

// Enough digits, or an e-mail address: not a name that somebody has begun to type.
const isAddress = (text) => /@.+\./.test(text) || text.replace(/\D/g, "").length >= 7

function plain(word) {
  const chip = Object.assign(document.createElement("span"), { className: "chip" })
  chip.append(Object.assign(document.createElement("span"), { className: "truncate", textContent: word }))
  const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" })
  remove.setAttribute("aria-label", `Remove ${word}`)
  chip.append(remove)
  Object.assign(chip.dataset, { value: word, state: "unknown" })
  return chip
}

customElements.define("address-field", AddressField)
