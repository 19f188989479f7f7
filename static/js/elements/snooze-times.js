// The usual times on the reader's own clock, each on its button, and another one that they choose.
const HOUR = 3600000
const near = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { weekday: "short", hour: "numeric", minute: "2-digit" })
const far = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" })

const times = {
  hours: () => new Date(Date.now() + 2 * HOUR),
  afternoon: () => at(0, 14),
  tomorrow: () => at(1, 9),
  monday: () => at((8 - new Date().getDay()) % 7 || 7, 9),
}

class SnoozeTimes extends HTMLElement {
  connectedCallback() {
    this.closest("pop-over").querySelector("button").addEventListener("click", () => this.#draw())
    this.#field.addEventListener("input", () => this.#choose())
    // Its own keys, and not those of the menu around it.
    this.#field.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation())
    this.#draw()
  }

  get #field() {
    return this.querySelector("input")
  }

  #draw() {
    for (const button of this.querySelectorAll("[data-time]")) {
      const time = times[button.dataset.time]()
      button.value = time.toISOString()
      button.hidden = time - Date.now() < HOUR
      button.querySelector("small").textContent = (time - Date.now() < 6 * 24 * HOUR ? near : far).format(time)
    }
  }

  #choose() {
    const chosen = new Date(this.#field.value)
    const go = this.querySelector("[data-go]")
    go.disabled = !(chosen > new Date())
    go.value = go.disabled ? "" : chosen.toISOString()
  }
}

function at(days, hour) {
  const today = new Date()
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() + days, hour)
}

customElements.define("snooze-times", SnoozeTimes)
