// To whom: each name or number becomes a chip; what is typed finds the people we know.
const AFTER = 200

class AddressField extends HTMLElement {
  #finding

  connectedCallback() {
    const input = this.#input
    input.addEventListener("input", (event) => this.#typed(event))
    input.addEventListener("keydown", (event) => this.#pressed(event))
    input.addEventListener("blur", () => this.#take())
    input.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) input.form.requestSubmit()
    })
    // The chips carry the values from now on; the field itself is only for typing.
    this.#all = Object.assign(document.createElement("input"), { type: "hidden", name: "to" })
    input.removeAttribute("name")
    this.prepend(this.#all)
    this.#take()
  }

  #all

  get #input() {
    return this.querySelector("#to")
  }

  #typed({ inputType }) {
    const option = this.#option(this.#input.value)
    // Chosen from the list, not typed.
    if (option && (inputType === "insertReplacementText" || !inputType)) return this.#take()
    if (/[,;\n]/.test(this.#input.value)) return this.#take()
    this.#tell()
    clearTimeout(this.#finding)
    this.#finding = setTimeout(() => this.#find(), AFTER)
  }

  #pressed(event) {
    if (event.key === "Enter" && !event.metaKey && !event.ctrlKey) {
      event.preventDefault()
      this.#take()
    } else if (event.key === "Backspace" && !this.#input.value) {
      this.querySelector(".chip:last-of-type")?.remove()
      this.#tell()
    }
  }

  async #find() {
    const words = this.#input.value.trim()
    if (words.length < 2) return
    const answer = await fetch(`${this.dataset.url}?${new URLSearchParams({ q: words })}`)
    if (answer.ok && words === this.#input.value.trim()) this.querySelector("datalist").innerHTML = await answer.text()
  }

  #option(value) {
    return [...this.querySelectorAll("option")].find((option) => option.value === value)
  }

  #take() {
    for (const word of this.#input.value.split(/[,;\n]/).map((word) => word.trim())) {
      if (word && !this.#values.includes(word)) this.#input.before(this.#chip(word))
    }
    this.#input.value = ""
    this.#tell()
  }

  get #values() {
    return [...this.querySelectorAll(".chip")].map((chip) => chip.dataset.value)
  }

  #tell() {
    this.#all.value = [...this.#values, this.#input.value].filter((value) => value.trim()).join(", ")
  }

  #chip(value) {
    const name = this.#option(value)?.label.split(" · ")[0]
    const chip = Object.assign(document.createElement("span"), { className: "chip", textContent: name ?? value })
    chip.dataset.value = value
    if (!name) chip.dataset.state = "unknown"
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" })
    remove.setAttribute("aria-label", `Remove ${name ?? value}`)
    remove.onclick = () => {
      chip.remove()
      this.#tell()
      this.#input.focus()
    }
    chip.append(remove)
    return chip
  }
}

customElements.define("address-field", AddressField)
