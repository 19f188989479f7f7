// All emoji by category, found by name, walked through with arrows. `choose` tells which one it was.
const KEPT = "emoji-used"
const LAST = 16
let known

async function emoji() {
  known ??= fetch("/emoji/").then((answer) => answer.json())
  return (await known).categories
}

export function lastUsed() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? []
  } catch {
    return []
  }
}

export function use(character) {
  const used = [character, ...lastUsed().filter((other) => other !== character)].slice(0, LAST)
  try {
    localStorage.setItem(KEPT, JSON.stringify(used))
  } catch {
    // A browser that keeps nothing has no last ones.
  }
}

class EmojiPicker extends HTMLElement {
  #categories = []

  async connectedCallback() {
    if (this.firstElementChild) return
    this.setAttribute("role", "dialog")
    this.setAttribute("aria-label", "Emoji")
    const label = Object.assign(document.createElement("label"), { className: "field emoji-picker__find" })
    const name = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: "Find an emoji" })
    const input = Object.assign(document.createElement("input"), { placeholder: "Find an emoji", autocomplete: "off" })
    label.append(name, input)
    const list = Object.assign(document.createElement("div"), { className: "emoji-picker__list" })
    this.append(label, list)
    input.addEventListener("input", () => this.#draw(input.value.trim().toLowerCase()))
    this.addEventListener("click", (event) => this.#pressed(event))
    this.addEventListener("keydown", (event) => this.#walk(event))
    input.focus()
    this.#categories = await emoji().catch(() => [])
    this.#draw("")
  }

  #draw(words) {
    const list = this.querySelector(".emoji-picker__list")
    const groups = words ? this.#found(words) : this.#all()
    list.replaceChildren(...groups.flatMap(({ name, emoji }) => this.#group(name, emoji)))
    if (!groups.length) list.textContent = this.#categories.length ? "No emoji is called that." : "The emoji could not be loaded."
  }

  #all() {
    const used = lastUsed().map((character) => [character, character])
    return [...(used.length ? [{ name: "Used last", emoji: used }] : []), ...this.#categories]
  }

  #found(words) {
    const emoji = this.#categories.flatMap((category) => category.emoji).filter(([, names]) => names.includes(words))
    return emoji.length ? [{ name: "Found", emoji: emoji.slice(0, 80) }] : []
  }

  #group(name, emoji) {
    const head = Object.assign(document.createElement("p"), { className: "menu__group", textContent: name })
    const grid = Object.assign(document.createElement("div"), { className: "emoji-picker__grid" })
    grid.append(
      ...emoji.map(([character, names]) => {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: character, tabIndex: -1 })
        button.setAttribute("aria-label", names.split(" ").slice(0, 4).join(" "))
        button.title = names
        return button
      }),
    )
    if (grid.firstElementChild) grid.firstElementChild.tabIndex = 0
    return [head, grid]
  }

  #pressed(event) {
    const button = event.target.closest(".emoji-picker__grid > button")
    if (!button) return
    use(button.textContent)
    this.dispatchEvent(new CustomEvent("emoji:chosen", { detail: button.textContent, bubbles: true }))
  }

  #walk(event) {
    const buttons = [...this.querySelectorAll(".emoji-picker__grid > button")]
    const at = buttons.indexOf(document.activeElement)
    if (event.key === "ArrowDown" && at < 0) return event.preventDefault(), buttons[0]?.focus()
    if (event.key === "Enter" && at < 0) return event.preventDefault(), buttons[0]?.click()
    const row = Math.max(1, Math.floor((buttons[0]?.parentElement.clientWidth ?? 0) / (buttons[0]?.offsetWidth || 1)))
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key]
    if (at < 0 || !step) return
    event.preventDefault()
    if (at + step < 0) return this.querySelector("input").focus()
    buttons[Math.min(buttons.length - 1, at + step)].focus()
  }
}

customElements.define("emoji-picker", EmojiPicker)
