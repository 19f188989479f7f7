// A moment in the reader's zone and language. `data-style` says how much of it; the exact time is on hover.
const DAY = 86400000
const format = (options) => new Intl.DateTimeFormat(document.documentElement.lang || undefined, options)
const time = format({ hour: "numeric", minute: "2-digit" })
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" })
const weekday = format({ weekday: "short" })
const date = format({ day: "numeric", month: "short" })
const appointment = format({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" })
const year = format({ day: "numeric", month: "short", year: "numeric" })
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, { numeric: "auto" })
const short = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, { style: "narrow", numeric: "auto" })
const month = format({ month: "long" })
const monthOfYear = format({ month: "long", year: "numeric" })
const exact = format({ dateStyle: "full", timeStyle: "medium" })

const startOf = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate())
export const daysAgo = (moment) => Math.round((startOf(new Date()) - startOf(moment)) / DAY)

// Today a time, less than a week away a weekday, else a date.
function row(moment) {
  const days = daysAgo(moment)
  if (days === 0) return time.format(moment)
  if (Math.abs(days) < 7) return weekday.format(moment)
  return (moment.getFullYear() === new Date().getFullYear() ? date : year).format(moment)
}

const isThisYear = (moment) => moment.getFullYear() === new Date().getFullYear()

// How long since: "3h ago", "yesterday", and the date after a week.
function ago(moment) {
  const minutes = Math.max(0, Math.round((Date.now() - moment) / 60000))
  if (minutes < 1) return short.format(0, "second")
  if (minutes < 60) return short.format(-minutes, "minute")
  if (minutes < 24 * 60) return short.format(-Math.floor(minutes / 60), "hour")
  return daysAgo(moment) < 7 ? short.format(-daysAgo(moment), "day") : year.format(moment)
}

const styles = {
  ago,
  row,
  day: (moment) => (daysAgo(moment) < 2 ? relative.format(-daysAgo(moment), "day") : (isThisYear(moment) ? date : year).format(moment)),
  month: (moment) => (isThisYear(moment) ? month : monthOfYear).format(moment),
  clock: (moment) => time.format(moment),
  full: (moment) => exact.format(moment),
  receipt: (moment) => (daysAgo(moment) === 1 ? `${relative.format(-1, "day")} ${time.format(moment)}` : styles["day-time"](moment)),
  seconds: (moment) => seconds.format(moment),
  date: (moment) => year.format(moment),
  appointment: (moment) => appointment.format(moment),
  // When something is going to happen: "at 14:05", "tomorrow at 8:00", "Mon at 8:00".
  coming: (moment) => {
    const days = -daysAgo(moment)
    return [days === 1 ? relative.format(1, "day") : days && row(moment), `at ${time.format(moment)}`].filter(Boolean).join(" ")
  },
  "day-time": (moment) => (daysAgo(moment) === 0 ? time.format(moment) : `${row(moment)} ${time.format(moment)}`),
}

class LocalTime extends HTMLElement {
  static observedAttributes = ["datetime"]
  #every

  connectedCallback() {
    this.#draw()
    // A day passes while the page stands open.
    this.#every = setInterval(() => this.#draw(), 60000)
  }

  disconnectedCallback() {
    clearInterval(this.#every)
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#draw()
  }

  #draw() {
    const moment = new Date(this.getAttribute("datetime"))
    if (Number.isNaN(moment.getTime())) return
    const words = (styles[this.dataset.style] ?? row)(moment)
    if (this.textContent !== words) this.textContent = words
    this.title = exact.format(moment)
  }
}

customElements.define("local-time", LocalTime)
