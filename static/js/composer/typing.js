// That somebody writes to them: told at the first letter and each minute after it, over when the writer stops, sends,
// or takes a note.
import { headers } from "requests"

// Milliseconds: their dots last 90 s, so they are told again before; and whoever stops for so long has stopped.
const AGAIN = 60000
const STOPPED = 20000

export class Typing {
  #url
  #told = 0
  #timer

  constructor(url) {
    this.#url = url
  }

  // `until` is when it ends by itself; Infinity where only stop() ends it.
  show(until = STOPPED) {
    if (Date.now() - this.#told >= AGAIN) {
      this.#told = Date.now()
      this.#tell()
    }
    clearTimeout(this.#timer)
    const isAsked = until === Infinity
    this.#timer = setTimeout(() => (isAsked ? this.show(until) : this.stop()), isAsked ? AGAIN : until)
  }

  // A message that leaves takes the dots away by itself.
  stop({ sent = false } = {}) {
    clearTimeout(this.#timer)
    if (!this.#told) return
    this.#told = 0
    if (!sent) this.#tell({ ended: "1" })
  }

  #tell(words = {}) {
    const body = new URLSearchParams(words)
    fetch(this.#url, { method: "POST", headers: headers(), body, keepalive: true }).catch(() => null)
  }
}
