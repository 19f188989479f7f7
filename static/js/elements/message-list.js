// The thread. The server lists messages; this puts each in its place, groups them, and says where a day or a service
// begins. What comes twice (our own reply, the socket) is one.
import { openChat } from "navigation"

const SERVICES = { imessage: "iMessage", rcs: "RCS", sms: "SMS" }
const SETTLED = new Set(["accepted", "sent", "delivered", "read"])

class MessageList extends HTMLElement {
  #leaving

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    document.addEventListener("live:event", ({ detail }) => this.#hear(detail), { signal })
    document.addEventListener("live:refresh", () => this.#refresh(), { signal })
    this.addEventListener("htmx:afterSettle", () => this.arrange(), { signal })
    this.addEventListener("click", (event) => this.#look(event), { signal })
    this.arrange()
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #list() {
    return this.firstElementChild
  }

  #hear(told) {
    if (told.chat !== openChat()) return
    if (told.message) this.put(told.message, told.sequence)
    if (told.line) this.put(told.line)
  }

  // One message or line as html, or an element: new, or in place of what it was. `sequence` is how far the log was when
  // it was read: an answer that took its time never undoes what the socket has told since. Of two that are equally far
  // the first stays, since that a message is just being sent is in no log.
  put(html, sequence) {
    const item = typeof html === "string" ? elements(html)[0] : html
    const old = this.#known(item)
    if (old?.dataset.sequence >= sequence) return
    if (sequence) item.dataset.sequence = sequence
    const isAtEnd = this.scrollTop > -80
    if (old && old.dataset.at === item.dataset.at) {
      keepPlaying(old, item)
      old.replaceWith(item)
    } else {
      old?.remove()
      this.#list.insertBefore(item, this.#after(item))
    }
    htmx.process(item)
    this.arrange()
    if (isAtEnd) this.scrollTop = 0
  }

  // The bubble that did not reach the server.
  take(key) {
    this.#list.querySelector(`:scope > [data-key="${CSS.escape(key)}"]`)?.remove()
    this.arrange()
  }

  #known(item) {
    const { key } = item.dataset
    const twin = key && this.#list.querySelector(`:scope > [data-key="${CSS.escape(key)}"]`)
    return (item.id && document.getElementById(item.id)) || twin
  }

  #after(item) {
    const rest = [...this.#list.children].filter((other) => other.dataset.at)
    const last = rest.findLast((other) => other.dataset.at <= item.dataset.at)
    if (last) return last.nextElementSibling
    return rest[0] ?? null
  }

  async #refresh() {
    const answer = await fetch(`/chats/${openChat()}/messages/`)
    if (answer.status === 404) return location.assign("/")
    if (!answer.ok) return
    const sequence = Number(answer.headers.get("X-Sequence"))
    const items = elements(await answer.text())
    // More has been missed than one page holds: then the page is all there is, and older ones load by scrolling.
    if (!items.some((item) => item.dataset.at && document.getElementById(item.id))) {
      this.#list.replaceChildren(...items)
      htmx.process(this.#list)
      this.scrollTop = 0
      return this.arrange()
    }
    for (const item of items) if (item.dataset.at) this.put(item, sequence)
  }

  arrange() {
    for (const line of this.#list.querySelectorAll(":scope > .day-line, :scope > .service-line")) line.remove()
    const items = [...this.#list.children].filter((item) => item.dataset.at)
    let before
    for (const item of items) {
      const isNewDay = day(before?.dataset.at) !== day(item.dataset.at)
      if (isNewDay) item.before(dayLine(item.dataset.at))
      const service = item.dataset.service && lastService(item)
      if (service && service !== item.dataset.service) item.before(serviceLine(item, service))
      before = item
    }
    this.#group(items)
    this.#sayStates(items)
  }

  #group(items) {
    items.forEach((item, index) => {
      if (!item.matches(".message")) return
      const joins = (other) => other?.matches(".message") && together(item, other)
      const [above, below] = [joins(items[index - 1]), joins(items[index + 1])]
      item.dataset.place = above ? (below ? "middle" : "last") : below ? "first" : "only"
      item.querySelector(":scope > .message__by").hidden = Boolean(above)
      const face = item.querySelector(":scope > .avatar")
      if (face) face.hidden = Boolean(below)
    })
  }

  // Under the last of ours of a day and service; and wherever something did not simply arrive.
  #sayStates(items) {
    const seen = new Set()
    for (const item of items.toReversed()) {
      const state = item.querySelector(":scope > .message__state")
      if (!state || item.dataset.direction !== "out") continue
      const stretch = `${day(item.dataset.at)} ${item.dataset.service}`
      const isPlain = SETTLED.has(item.dataset.state)
      state.hidden = isPlain && seen.has(stretch)
      if (isPlain) seen.add(stretch)
    }
  }

  #look(event) {
    const link = event.target.closest("[data-photo]")
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    document.querySelector("photo-viewer").open(link, [...this.querySelectorAll("[data-photo]")])
  }
}

function elements(html) {
  const template = document.createElement("template")
  template.innerHTML = html.trim()
  return [...document.importNode(template.content, true).children]
}

function day(at) {
  return at && new Date(at).toDateString()
}

// One group: the same author, side and service, on one day, within a few minutes.
function together(one, other) {
  const [a, b] = [one.dataset, other.dataset]
  const same = a.direction === b.direction && a.author === b.author && a.service === b.service
  return same && day(a.at) === day(b.at) && Math.abs(Date.parse(a.at) - Date.parse(b.at)) < 5 * 60000
}

function lastService(item) {
  for (let other = item.previousElementSibling; other; other = other.previousElementSibling) {
    if (other.dataset.service) return other.dataset.service
  }
}

function line(kind, ...content) {
  const item = Object.assign(document.createElement("li"), { className: kind })
  item.append(...content)
  return item
}

function dayLine(at) {
  const date = new Date(at)
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000)
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric"
  const text =
    days === 0
      ? "Today"
      : days === 1
        ? "Yesterday"
        : date.toLocaleDateString(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long", year })
  return line("day-line", Object.assign(document.createElement("time"), { dateTime: at.slice(0, 10), textContent: text }))
}

function serviceLine(item, before) {
  const { service } = item.dataset
  const label = Object.assign(document.createElement("span"), {
    className: "service-label",
    textContent: SERVICES[service] ?? service,
  })
  label.dataset.service = service
  return line("service-line", label, ` after ${SERVICES[before] ?? before}`)
}

// A voice memo or video that is being played survives the new state of its message.
function keepPlaying(old, item) {
  const playing = [...old.querySelectorAll("audio, video")].find((media) => !media.paused)
  const twin = playing && item.querySelector(`[src="${CSS.escape(playing.getAttribute("src"))}"]`)
  twin?.replaceWith(playing)
}

customElements.define("message-list", MessageList)
