// When to send it: two usual times, or a day and a time on somebody's clock. Tells the form around it with
// `composer:schedule` ({ sendAt: "2026-11-26T09:00" on the clocks of timeZone, timeZone, asksFirst }).
const DAY = 86400000
const MONTHS_AHEAD = 12

class SchedulePicker extends HTMLElement {
  #leaving
  // Days are "2026-11-26"; #month is the first of the one that is shown.
  #day
  #month

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal })
    on(this.#opener, "click", () => (this.#surface.hidden ? this.#open() : this.#close()))
    on(this, "keydown", (event) => this.#pressed(event))
    on(this, "focusout", ({ relatedTarget }) => relatedTarget && !this.contains(relatedTarget) && this.#close())
    on(document, "click", ({ target }) => target.isConnected && !this.contains(target) && this.#close())
    for (const button of this.querySelectorAll("[data-preset]")) on(button, "click", () => this.#tell(this.#preset(button)))
    for (const button of this.querySelectorAll("[data-step]")) on(button, "click", () => this.#turn(Number(button.dataset.step)))
    on(this.#calendar, "click", ({ target }) => this.#choose(target.closest("button")?.dataset.day))
    on(this.#time, "input", () => this.#say())
    on(this.#zone, "change", () => this.#draw())
    on(this.querySelector("[data-go]"), "click", () => this.#go())
    this.#addOwnZone()
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #opener() {
    return this.querySelector("[data-opener]")
  }

  get #surface() {
    return this.querySelector(".popover")
  }

  get #calendar() {
    return this.querySelector(".calendar")
  }

  get #time() {
    return this.querySelector("input[type=time]")
  }

  get #zone() {
    return this.querySelector("select")
  }

  // Where the reader's clock shows another time than theirs, it can be chosen.
  #addOwnZone() {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    if (clockIn(own) === clockIn(this.dataset.timeZone)) return
    this.#zone.append(new Option(`My time, ${own.split("/").at(-1).replaceAll("_", " ")}`, own))
  }

  get #now() {
    return clockIn(this.#zone.value)
  }

  #open() {
    this.#surface.hidden = false
    this.#opener.setAttribute("aria-expanded", "true")
    this.#day = plus(this.#now.slice(0, 10), 1)
    this.#month = firstOf(this.#day)
    this.#draw()
    this.querySelector("[data-preset]").focus()
  }

  #close() {
    if (this.#surface.hidden) return
    this.#surface.hidden = true
    this.#opener.setAttribute("aria-expanded", "false")
  }

  #pressed(event) {
    if (this.#surface.hidden) return
    const { target, key } = event
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }
    if (key === "Escape") {
      this.#close()
      this.#opener.focus()
    } else if (target.dataset.day && key in steps) this.#move(plus(target.dataset.day, steps[key]))
    else if (target.dataset.day && key.startsWith("Page")) this.#move(plusMonths(target.dataset.day, key === "PageUp" ? -1 : 1))
    else if (target.dataset.preset && (key === "ArrowDown" || key === "ArrowUp")) this.#walk(target, steps[key])
    // In a form it would send the message now.
    else if (key === "Enter" && target.matches("input")) this.#go()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  #walk(preset, step) {
    const presets = [...this.querySelectorAll("[data-preset]")]
    presets.at((presets.indexOf(preset) + Math.sign(step)) % presets.length).focus()
  }

  #turn(step) {
    this.#month = plusMonths(this.#month, step)
    this.#draw()
  }

  // By keyboard: to another day, of another month if need be.
  #move(day) {
    const [first, last] = this.#range
    this.#day = day < first ? first : day > last ? last : day
    this.#month = firstOf(this.#day)
    this.#draw()
    this.#calendar.querySelector(`[data-day="${this.#day}"]`).focus()
  }

  #choose(day) {
    if (!day) return
    this.#day = day
    this.#draw()
    this.#calendar.querySelector(`[data-day="${day}"]`).focus()
  }

  get #range() {
    const today = this.#now.slice(0, 10)
    return [today, plusMonths(today, MONTHS_AHEAD)]
  }

  #draw() {
    const [first, last] = this.#range
    const [earlier, later] = this.querySelectorAll("[data-step]")
    earlier.disabled = this.#month <= firstOf(first)
    later.disabled = this.#month >= firstOf(last)
    this.querySelector("[data-month]").textContent = words(this.#month, { month: "long", year: "numeric" })
    this.#calendar.replaceChildren(...weekdays(), ...blanks(this.#month), ...this.#days(first, last))
    for (const button of this.querySelectorAll("[data-preset]")) {
      button.querySelector("small").textContent = said(this.#preset(button), this.#now)
    }
    this.#say()
  }

  #days(first, last) {
    const month = this.#month.slice(0, 7)
    const days = []
    for (let day = this.#month; day.startsWith(month); day = plus(day, 1)) days.push(day)
    const reached = days.includes(this.#day) ? this.#day : days.find((day) => day >= first)
    return days.map((day) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: Number(day.slice(8)) })
      button.dataset.day = day
      button.tabIndex = day === reached ? 0 : -1
      button.disabled = day < first || day > last
      button.setAttribute("aria-label", words(day, { weekday: "long", day: "numeric", month: "long" }))
      button.setAttribute("aria-pressed", String(day === this.#day))
      if (day === first) button.setAttribute("aria-current", "date")
      return button
    })
  }

  #preset({ dataset }) {
    if (dataset.preset === "hour") return clockIn(this.#zone.value, Date.now() + 3600000)
    return `${plus(this.#now.slice(0, 10), 1)}T09:00`
  }

  get #at() {
    return `${this.#day}T${this.#time.value}`
  }

  get #isPast() {
    return !this.#time.value || this.#at <= this.#now
  }

  #say() {
    const go = this.querySelector("[data-go]")
    go.textContent = this.#isPast ? "That is past" : said(this.#at, this.#now)
    go.disabled = this.#isPast
  }

  #go() {
    if (!this.#isPast) this.#tell(this.#at)
  }

  #tell(sendAt) {
    const asksFirst = this.querySelector("input[type=checkbox]").checked
    const detail = { sendAt, timeZone: this.#zone.value, asksFirst }
    this.#close()
    this.#opener.focus()
    this.dispatchEvent(new CustomEvent("composer:schedule", { bubbles: true, detail }))
  }
}

// What clocks show in a zone, as "2026-11-26T09:00".
function clockIn(timeZone, at = Date.now()) {
  const options = { timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en", options).formatToParts(at).map(({ type, value }) => [type, value]))
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`
}

function plus(day, days) {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10)
}

// The same day of another month, or its last.
function plusMonths(day, months) {
  const [year, month, date] = day.split("-").map(Number)
  const last = new Date(Date.UTC(year, month + months, 0))
  return `${last.toISOString().slice(0, 8)}${String(Math.min(date, last.getUTCDate())).padStart(2, "0")}`
}

function firstOf(day) {
  return `${day.slice(0, 8)}01`
}

function words(day, options) {
  return new Date(day).toLocaleDateString(document.documentElement.lang, { ...options, timeZone: "UTC" })
}

// "Thu 9:00" within a week, else "3 Dec 9:00", as the thread will say it.
function said(at, now) {
  const [day, clock] = at.split("T")
  const isNear = day < plus(now.slice(0, 10), 7)
  const date = isNear ? words(day, { weekday: "short" }) : `${Number(day.slice(8))} ${words(day, { month: "short" })}`
  return `${date} ${clock.replace(/^0/, "")}`
}

// A Monday and the six days after it.
function weekdays() {
  return [0, 1, 2, 3, 4, 5, 6].map((number) => {
    const day = plus("2024-01-01", number)
    const head = Object.assign(document.createElement("span"), { textContent: words(day, { weekday: "short" }).slice(0, 2) })
    head.setAttribute("aria-hidden", "true")
    return head
  })
}

function blanks(first) {
  const before = (new Date(first).getUTCDay() + 6) % 7
  return Array.from({ length: before }, () => document.createElement("span"))
}

customElements.define("schedule-picker", SchedulePicker)
