// The one socket of this tab. It tells the page what happens; where it was away, it says so and catches up.
import "conversation"
import "details"
import "keys"
import "navigation"
import "elements/by-line"
import "elements/address-field"
import "elements/chat-list"
import "elements/filter-list"
import "elements/guard-words"
import "elements/inline-edit"
import "elements/many-readers"
import "elements/label-picker"
import "elements/local-time"
import "elements/message-composer"
import "elements/message-list"
import "elements/note-tools"
import "elements/message-menu"
import "elements/photo-viewer"
import "elements/pop-over"
import "elements/saved-replies"
import "elements/schedule-picker"
import "elements/snooze-times"
import "elements/toast-note"
import "elements/typing-mark"
import "elements/voice-memo"
import "elements/waiting-clock"

const BACKOFF = [500, 1000, 2000, 4000, 8000, 10000]
const PING = 20000
const QUIET = 5000
const KEPT = 300

class Live {
  #socket
  #tries = 0
  #pings = 0
  #answered = true
  #retry
  #saying
  #recent = []
  #list = document.querySelector("chat-list, search-list")
  #cursor = Number(this.#list.dataset.sequence)
  // A refresh that was asked for and has not arrived; and one that an earlier connection had asked for.
  #owes = false
  #owed = false

  start() {
    setInterval(() => this.#ping(10000), PING)
    addEventListener("online", () => this.#look())
    document.addEventListener("visibilitychange", () => document.hidden || this.#look())
    document.addEventListener("conversation:shown", () => this.#watch())
    document.addEventListener("live:retry", () => this.#connect())
    document.addEventListener("htmx:afterSwap", (event) => this.#replay(event))
    this.#connect()
  }

  #connect() {
    clearTimeout(this.#retry)
    this.#drop()
    this.#owed = this.#owes
    const { environment, reader = "" } = this.#list.dataset
    const query = new URLSearchParams({ environment, since: this.#cursor, reader })
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/live/?${query}`)
    socket.onopen = () => this.#watch()
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => this.#lost(code)
    this.#socket = socket
  }

  #drop() {
    if (!this.#socket) return
    this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null
    this.#socket.close()
  }

  #lost(code) {
    if (code === 4401 || code === 4403) return location.assign("/")
    this.#stale()
    const wait = BACKOFF[Math.min(this.#tries++, BACKOFF.length - 1)]
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2))
  }

  #stale() {
    if ("stale" in document.body.dataset) return
    document.body.dataset.stale = ""
    delete document.body.dataset.live
    tell("live:stale")
    this.#saying = setTimeout(() => tell("live:quiet"), QUIET)
  }

  #owe() {
    this.#owes = true
    tell("live:refresh")
  }

  #fresh() {
    if (this.#owed && this.#owes) tell("live:refresh")
    this.#tries = 0
    document.body.dataset.live = ""
    clearTimeout(this.#saying)
    if (!("stale" in document.body.dataset)) return
    delete document.body.dataset.stale
    tell("live:fresh")
  }

  #hear(told) {
    if (told.type === "pong") this.#answered = true
    if (told.type === "refresh") this.#owe()
    if (told.type === "hello") this.#fresh()
    if (told.type === "event") {
      this.#recent.push(told)
      if (this.#recent.length > KEPT) this.#recent.shift()
      tell("live:event", told)
    }
    if (told.sequence) this.#cursor = Math.max(this.#cursor, told.sequence)
  }

  // An answer was read from the database at its sequence; what has been told since is told to it again.
  #replay({ detail }) {
    if (detail.target?.id === "chats") this.#owes = false
    const sequence = Number(detail.xhr?.getResponseHeader("X-Sequence") || Infinity)
    for (const told of this.#recent) if (told.sequence > sequence) tell("live:event", { ...told, again: true })
  }

  #watch() {
    this.#send({ watch: document.getElementById("conversation")?.dataset.chat ?? null })
  }

  #look() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ping(3000)
    else this.#connect()
  }

  #ping(patience) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    const socket = this.#socket
    this.#answered = false
    this.#send({ ping: ++this.#pings })
    setTimeout(() => {
      if (this.#answered || socket !== this.#socket) return
      this.#stale()
      this.#connect()
    }, patience)
  }

  #send(words) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(words))
  }
}

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }))
}

if (document.querySelector("chat-list, search-list")) new Live().start()
