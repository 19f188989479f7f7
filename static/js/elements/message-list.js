// The thread. The server lists messages; this puts each in its place, groups them, and says where a day or a service
// begins. What comes twice (our own reply, the socket) is one. While it stands at earlier messages, new ones wait until
// those between have come. `message:jump` on the document leads to any message of the conversation.
import { play } from "effects"
import { mark, pattern } from "marks"
import { openChat } from "navigation"

const SERVICES = { imessage: "iMessage", rcs: "RCS", sms: "SMS" }
const SETTLED = new Set(["accepted", "sent", "delivered", "read"])

class MessageList extends HTMLElement {
  #leaving
  // What is newer than the newest that is loaded: [item, sequence].
  #waiting = []
  // The message that stays where it is on the screen while a page comes above or below.
  #held
  // The message that an answer takes the place of, while somebody writes in its form.
  #edited

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    document.addEventListener("live:event", ({ detail }) => this.#hear(detail), { signal })
    document.addEventListener("live:refresh", () => this.#refresh(), { signal })
    document.addEventListener("message:jump", ({ detail }) => this.#jump(detail.message), { signal })
    document.addEventListener("message:thread", ({ detail }) => this.#showThread(detail.message), { signal })
    document.addEventListener("click", (event) => this.#leave(event), { signal })
    this.addEventListener("click", (event) => this.#clicked(event), { signal })
    // On a phone it is only now to be seen.
    document.addEventListener("conversation:shown", () => this.dataset.found && this.#show(this.dataset.found), { signal })
    this.addEventListener("htmx:beforeSwap", (event) => this.#changes(event.detail.target), { signal })
    this.addEventListener("htmx:afterSwap", () => this.#changed(), { signal })
    this.addEventListener("htmx:afterSettle", () => this.#grew(), { signal })
    this.arrange()
    if (this.dataset.found) this.#show(this.dataset.found)
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #list() {
    return this.firstElementChild
  }

  get #isBehind() {
    return Boolean(this.#list.querySelector(":scope > .thread__newer"))
  }

  #hear(told) {
    if (told.chat !== openChat()) return
    for (const kind of ["message", "note", "scheduled"]) if (told[kind]) this.put(told[kind], told.sequence)
    if (told.line) this.put(told.line)
  }

  // One message or line as html, or an element: new, or in place of what it was. `sequence` is how far the log was when
  // it was read: an answer that took its time never undoes what the socket has told since. Of two that are equally far
  // the first stays, since that a message is just being sent is in no log.
  put(html, sequence) {
    const item = typeof html === "string" ? elements(html)[0] : html
    const old = this.#known(item)
    if (old?.dataset.sequence >= sequence) return
    // Somebody writes in its form, and what it shows is still so.
    if (old?.dataset.state === "editing" && old.dataset.version === item.dataset.version) return
    if ("gone" in item.dataset) return this.#remove(old)
    // What is still to come is there with the newest messages.
    if (!old && isToCome(item) && (this.#isBehind || this.dataset.thread)) return
    if (!old && this.#isBehind && !this.#isAmong(item)) return this.#wait(item, sequence)
    if (!old && this.dataset.thread && !this.#isInThread(item)) return this.#wait(item, sequence)
    if (sequence) item.dataset.sequence = sequence
    const isAtEnd = this.scrollTop > -80
    if (old && old.dataset.at === item.dataset.at) {
      const focused = old.contains(document.activeElement) && document.activeElement
      keepPlaying(old, item)
      keepEditing(old, item)
      old.replaceWith(item)
      if (focused) (focused === old ? item : focused).focus({ preventScroll: true })
    } else {
      old?.remove()
      this.#list.insertBefore(item, this.#after(item))
    }
    htmx.process(item)
    this.arrange()
    if (isAtEnd && !this.#isBehind) this.scrollTop = 0
    if (!old && sequence) this.#play(item, { once: true })
  }

  #remove(item) {
    item?.remove()
    this.arrange()
  }

  // An effect is seen once, where it arrives, and then when somebody asks for it.
  #play(item, { once = false } = {}) {
    const { effect } = item.dataset
    if (!effect || (once && (document.hidden || !isFirstTime(item.id)))) return
    play(effect, { bubble: item.querySelector(".message__bubble"), stage: document.getElementById("conversation") })
  }

  // Only the messages of one thread, until one goes back.
  async #showThread(id) {
    if (!(await this.#load(`?thread=${id}`))) return sayPlace("The thread cannot be shown now")
    const items = [...this.#list.querySelectorAll(":scope > .message[id]")]
    this.dataset.thread = items[0]?.id.replace("message-", "") ?? ""
    const replies = Math.max(0, items.length - 1)
    sayPlace(`Thread · ${replies === 1 ? "1 reply" : `${replies} replies`}`)
    const words = items[0]?.querySelector(".message__text")?.innerText.slice(0, 120) ?? ""
    this.#answer({ message: this.dataset.thread, part: 0, words })
  }

  #answer(detail) {
    document.dispatchEvent(new CustomEvent("message:reply", { detail }))
  }

  #isInThread(item) {
    const { original, key } = item.dataset
    return Boolean(key && !item.id) || (original && Boolean(document.getElementById(`message-${original}`)))
  }

  #clicked(event) {
    const item = event.target.closest("[data-replay]")?.closest(".message")
    if (item) return this.#play(item)
    const quote = event.target.closest("[data-jump]")
    if (!quote || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    const original = quote.dataset.jump
    if (this.dataset.thread) this.#jump(original)
    else this.#showThread(original)
  }

  #isAmong(item) {
    const last = [...this.#list.children].findLast((other) => other.dataset.at)
    return item.dataset.at < last?.dataset.at
  }

  // Who writes wants to see it; what others write is counted.
  #wait(item, sequence) {
    this.#waiting.push([item, sequence])
    if (item.dataset.key && !sequence) this.latest()
    else sayWaiting(new Set(this.#waiting.map(([{ id }]) => id)).size)
  }

  #release() {
    if (this.#isBehind) return
    for (const [item, sequence] of this.#waiting.splice(0)) this.put(item, sequence)
    sayWaiting(0)
  }

  // The newest messages, wherever the list stood.
  async latest() {
    delete this.dataset.found
    if ((this.#isBehind || this.dataset.thread) && !(await this.#load(""))) return
    this.#markFound()
    document.getElementById("found")?.removeAttribute("data-among")
    sayPlace("")
    this.scrollTop = 0
  }

  async #jump(id) {
    const isHere = document.getElementById(`message-${id}`) && !this.dataset.thread
    if (!isHere && !(await this.#load(`?around=${id}`))) {
      return sayPlace("That message cannot be shown here")
    }
    sayPlace(this.#isBehind ? "Earlier messages" : "")
    this.#show(`message-${id}`)?.focus({ preventScroll: true })
  }

  // `id` is that of an element: of a message, or of a note.
  #show(id) {
    this.dataset.found = id
    this.#markFound()
    const found = document.getElementById(id)
    found?.scrollIntoView({ block: "center" })
    return found
  }

  #markFound() {
    const { found } = this.dataset
    for (const item of this.#list.querySelectorAll(":scope > [data-found]")) item.removeAttribute("data-found")
    const item = found && document.getElementById(found)
    item?.setAttribute("data-found", "")
    item?.setAttribute("tabindex", "-1")
    if (!this.dataset.words) return
    const wanted = pattern(JSON.parse(this.dataset.words))
    for (const said of this.#list.querySelectorAll(".message__bubble:not([data-marked]), .note__text:not([data-marked])")) {
      said.dataset.marked = ""
      mark(said, wanted)
    }
  }

  // Another page of the conversation in place of this one; false where the server could not be asked.
  async #load(query) {
    const chat = openChat()
    const answer = await fetch(`/chats/${chat}/messages/${query}`).catch(() => null)
    if (chat !== openChat() || !this.isConnected) return false
    if (answer?.status === 404 && !query) document.dispatchEvent(new CustomEvent("conversation:lost"))
    if (!answer?.ok) return false
    if (this.dataset.thread) this.#answer({ message: "", instead: this.dataset.thread })
    delete this.dataset.thread
    this.#fill(await answer.text(), Number(answer.headers.get("X-Sequence")))
    return true
  }

  #fill(html, sequence) {
    const items = elements(html)
    for (const item of items) if (item.dataset.at) item.dataset.sequence = sequence
    this.#list.replaceChildren(...items)
    htmx.process(this.#list)
    this.arrange()
    this.#release()
  }

  // A page has come above or below.
  #grew() {
    this.#hold(this.#held?.item)
    const seen = new Set()
    for (const item of [...this.#list.children]) item.id && seen.has(item.id) ? item.remove() : seen.add(item.id)
    this.arrange()
    if (!this.#isBehind) {
      this.#release()
      sayPlace("")
    }
    this.#holdStill()
    this.#held = null
  }

  #changes(target) {
    this.#hold()
    this.#edited = target.matches(".message:has(.message__edit)") ? target : null
  }

  #changed() {
    const item = this.#edited && document.getElementById(this.#edited.id)
    if (item && keepEditing(this.#edited, item)) item.querySelector(".message__edit textarea").focus({ preventScroll: true })
    this.#edited = null
    this.#holdStill()
  }

  #hold(item = this.#visible()) {
    this.#held = item && { item, top: item.getBoundingClientRect().top }
  }

  #holdStill() {
    const { item, top } = this.#held ?? {}
    if (item?.isConnected) this.scrollTop += item.getBoundingClientRect().top - top
  }

  #visible() {
    const { top } = this.getBoundingClientRect()
    const items = [...this.#list.children].filter((item) => item.matches(".message[id]"))
    return items.find((item) => item.getBoundingClientRect().bottom > top)
  }

  #leave(event) {
    const link = event.target.closest("[data-latest]")
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    history.replaceState(null, "", link.href)
    this.latest()
  }

  // The bubble that did not reach the server.
  take(key) {
    this.#waiting = this.#waiting.filter(([item]) => item.dataset.key !== key)
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
    const last = rest.findLast((other) => place(other) <= place(item))
    if (last) return last.nextElementSibling
    return rest[0] ?? null
  }

  async #refresh() {
    const place = this.#isBehind && this.#visible()?.id.replace("message-", "")
    const around = place ? `?around=${place}` : ""
    const answer = await fetch(`/chats/${openChat()}/messages/${around}`)
    if (answer.status === 404) return document.dispatchEvent(new CustomEvent("conversation:lost"))
    if (!answer.ok) return
    const sequence = Number(answer.headers.get("X-Sequence"))
    const html = await answer.text()
    const items = elements(html).filter((item) => item.dataset.at)
    // More has been missed than one page holds: then the page is all there is, and older ones load by scrolling.
    if (!items.some((item) => !isToCome(item) && document.getElementById(item.id))) {
      this.#fill(html, sequence)
      this.scrollTop = 0
      return
    }
    for (const item of items) this.put(item, sequence)
    const told = new Set(items.map(({ id }) => id))
    for (const item of this.#list.querySelectorAll(":scope > [data-last]")) if (!told.has(item.id)) this.#remove(item)
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
    this.#markFound()
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
      const isPlain = SETTLED.has(item.dataset.state) && !("shown" in state.dataset)
      state.hidden = isPlain && seen.has(stretch)
      if (isPlain) seen.add(stretch)
    }
  }
}

// The bar above the list: where one stands, and how much has come since. What was searched for keeps it.
function sayPlace(words) {
  const bar = document.getElementById("found")
  if (!bar || "among" in bar.dataset) return
  bar.hidden = !words
  if (words) bar.firstElementChild.textContent = words
}

function sayWaiting(count) {
  const badge = document.querySelector("#found .badge")
  if (!badge) return
  badge.hidden = !count
  badge.textContent = count
}

function elements(html) {
  const template = document.createElement("template")
  template.innerHTML = html.trim()
  return [...document.importNode(template.content, true).children]
}

// Scheduled: behind all that was said, whenever its time was.
function isToCome(item) {
  return "last" in item.dataset
}

function place(item) {
  return `${isToCome(item) ? 1 : 0} ${item.dataset.at}`
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

// A voice memo or video that somebody is at survives the new state of its message.
function keepPlaying(old, item) {
  for (const media of old.querySelectorAll("audio, video")) {
    if (media.paused && !media.currentTime) continue
    item.querySelector(`${media.localName}[src="${CSS.escape(media.getAttribute("src"))}"]`)?.replaceWith(media)
  }
}

// A text that is being edited stays in its field, whatever happens to its message meanwhile. Says whether it did.
function keepEditing(old, item) {
  const form = old.querySelector(".message__edit")
  const text = form && item.querySelector(`[data-part="${form.closest("[data-part]").dataset.part}"] .message__text`)
  if (!text || old.dataset.edits !== item.dataset.edits) return false
  text.hidden = true
  text.after(form)
  return true
}

const played = new Set()

function isFirstTime(id) {
  const isNew = !played.has(id)
  played.add(id)
  return isNew
}

customElements.define("message-list", MessageList)
