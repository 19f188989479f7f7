// The list: rows that come over the socket find their place, or leave; nothing moves under the reader's eyes.
import { openChat, title } from "navigation"

const COUNTS = 2000

class ChatList extends HTMLElement {
  #counted = 0
  #counting
  #leaving

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const on = (name, listener) => document.addEventListener(name, listener, { signal })
    on("live:event", ({ detail }) => this.#hear(detail))
    on("live:refresh", () => this.#refresh())
    on("live:quiet", () => this.#say("Reconnecting… your text is safe", true))
    on("live:fresh", () => this.#fresh())
    on("conversation:shown", () => this.#mark())
    on("conversation:read", ({ detail }) => this.#read(detail.chat))
    on("draft:saved", ({ detail }) => this.#draft(detail))
    on("htmx:afterRequest", ({ detail }) => this.#acted(detail))
    on("htmx:responseError", ({ detail }) => this.#refused(detail))
    this.addEventListener("htmx:afterSettle", () => this.#once(), { signal })
    this.#mark()
    title()
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #rows() {
    return this.querySelector(".chat-list__rows")
  }

  #hear(told) {
    if (told.row) this.put(told.row, told.unread, told.sequence)
    if (/line_(paused|resumed)$|^phone_number\./.test(told.event)) this.#refresh()
    this.#count()
  }

  // The html of one row, read when the log was at `sequence`; `unread` is the reader's own number.
  put(html, unread, sequence) {
    const row = element(html)
    const old = document.getElementById(row.id)
    // A row of the page has no number; a reaction that is taken back may lead to an earlier time.
    const isOld = old?.dataset.sequence ? old.dataset.sequence > sequence : old?.dataset.activity > row.dataset.activity
    if (isOld) return
    row.dataset.sequence = sequence
    const draft = old?.querySelector(".chat-row__draft")?.parentElement
    if (draft) row.querySelector(".chat-row__last").replaceWith(draft.cloneNode(true))
    badge(row, unread ?? 0)
    this.#keepingPlace(row.id, () => {
      const hadFocus = old?.contains(document.activeElement)
      const next = this.#below(row, old)
      if (!this.#belongs(row) || (this.#isByWaiting && next?.matches(".chat-list__more"))) old?.remove()
      else if (old?.nextElementSibling === next) old.replaceWith(row)
      else {
        old?.remove()
        this.#rows.insertBefore(row, next)
      }
      if (hadFocus) row.querySelector("a").focus({ preventScroll: true })
    })
    htmx.process(row)
    this.#mark()
  }

  // Who waits longest stands first; else what moved last.
  get #isByWaiting() {
    return this.dataset.order === "waiting"
  }

  // By name, the values of which a row has to have one; a row may have several labels.
  #belongs({ dataset }) {
    if (this.#isByWaiting && !dataset.waiting) return false
    const wants = Object.entries(JSON.parse(this.dataset.wants))
    return wants.every(([name, values]) => values.some((value) => dataset[name].split(" ").includes(value)))
  }

  #below(row, old) {
    const rest = [...this.#rows.children].filter((other) => other !== old)
    const isBehind = this.#isByWaiting
      ? (other) => other.dataset.waiting > row.dataset.waiting
      : (other) => other.dataset.activity < row.dataset.activity
    return rest.find((other) => !other.dataset.activity || isBehind(other)) ?? null
  }

  // At the top the newest is what one wants to see; further down, what is being read stays where it is.
  #keepingPlace(id, change) {
    const rows = this.#rows
    const top = rows.getBoundingClientRect().top
    const anchor =
      rows.scrollTop > 0 &&
      [...rows.children].find((row) => row.id !== id && row.getBoundingClientRect().bottom > top)
    const before = anchor && anchor.getBoundingClientRect().top
    change()
    if (anchor) rows.scrollTop += anchor.getBoundingClientRect().top - before
  }

  #mark() {
    const current = `chat-${openChat()}`
    for (const row of this.querySelectorAll(".chat-row")) {
      if (row.parentElement.id === current) row.setAttribute("aria-current", "true")
      else row.removeAttribute("aria-current")
    }
  }

  #read(chat) {
    const row = document.getElementById(`chat-${chat}`)
    if (row) badge(row, 0)
  }

  #draft({ chat, text }) {
    const last = document.getElementById(`chat-${chat}`)?.querySelector(".chat-row__last")
    if (!last) return
    if (!text.trim()) return last.querySelector(".chat-row__draft") && this.#fetch(chat)
    const mark = Object.assign(document.createElement("span"), { className: "chat-row__draft", textContent: "Draft:" })
    last.replaceChildren(mark, ` ${text.slice(0, 120)}`)
  }

  // With the socket away, what the reader does is still shown at once.
  #acted({ requestConfig, successful }) {
    const path = requestConfig?.path ?? ""
    const [, chat] = path.match(/^\/chats\/([0-9a-f-]{36})\/(close|reopen|snooze|wake|assign|unread)\//) ?? []
    if (chat && successful && "stale" in document.body.dataset) this.#fetch(chat)
  }

  async #fetch(chat) {
    const answer = await fetch(`/chats/${chat}/row/`)
    if (!answer.ok) return
    const html = await answer.text()
    const sequence = Number(answer.headers.get("X-Sequence"))
    const row = document.getElementById(`chat-${chat}`)
    row?.querySelector(".chat-row__draft")?.remove()
    // In the inbox of another it is not the reader's own number that stands there.
    const source = this.dataset.reader ? row : element(html)
    this.put(html, Number(source?.querySelector(".badge")?.firstChild.textContent ?? 0), sequence)
  }

  #count() {
    if (this.#counting) return
    const wait = Math.max(300, this.#counted + COUNTS - Date.now())
    this.#counting = setTimeout(() => {
      this.#counting = null
      this.#counted = Date.now()
      this.#getCounts()
    }, wait)
  }

  #getCounts() {
    return htmx.ajax("GET", this.dataset.counts, { target: "#tabs", swap: "outerHTML", source: "#tabs" })
  }

  // What may not be looked into any more is left.
  #refused({ target, xhr }) {
    if (xhr.status === 404 && ["tabs", "chats"].includes(target?.id)) location.assign("/")
  }

  #refresh() {
    this.#getCounts()
    htmx.ajax("GET", this.dataset.home + this.dataset.query, { target: "#chats", swap: "outerHTML", source: "#chats" })
  }

  // A page of rows may bring one that the socket has brought before.
  #once() {
    const seen = new Set()
    for (const row of [...this.#rows.children]) {
      if (row.id && seen.has(row.id)) row.remove()
      seen.add(row.id)
    }
    this.#mark()
  }

  #fresh() {
    const said = this.querySelector(".connection")
    if (said.hidden) return
    this.#say("Up to date", false)
    setTimeout(() => (said.hidden = true), 2000)
  }

  #say(words, isAway) {
    const said = this.querySelector(".connection")
    const retry = Object.assign(document.createElement("button"), {
      className: "button",
      type: "button",
      textContent: "Try now",
      onclick: () => document.dispatchEvent(new CustomEvent("live:retry")),
    })
    Object.assign(retry.dataset, { kind: "quiet", size: "small" })
    said.replaceChildren(words, ...(isAway ? [retry] : []))
    said.toggleAttribute("data-state", false)
    if (!isAway) said.dataset.state = "good"
    said.hidden = false
  }
}

function badge(row, unread) {
  row.querySelector(".badge")?.remove()
  row.querySelector(".chat-row").toggleAttribute("data-unread", unread > 0)
  if (!unread) return
  const mark = Object.assign(document.createElement("span"), { className: "badge", textContent: unread })
  mark.append(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: " unread" }))
  row.querySelector(".chat-row__last").after(mark)
}

function element(html) {
  const template = document.createElement("template")
  template.innerHTML = html.trim()
  return document.importNode(template.content, true).firstElementChild
}

customElements.define("chat-list", ChatList)
