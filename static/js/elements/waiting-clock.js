// How long they have waited for us; after half an hour it warns, after an hour it is late.
const MINUTE = 60000
const clocks = new Set()

class WaitingClock extends HTMLElement {
  connectedCallback() {
    clocks.add(this)
    this.tick()
  }

  disconnectedCallback() {
    clocks.delete(this)
  }

  tick() {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(this.getAttribute("datetime"))) / MINUTE))
    const hours = Math.floor(minutes / 60)
    const text =
      minutes < 1
        ? "now"
        : minutes < 60
          ? `${minutes} min`
          : hours < 24
            ? `${hours} h ${minutes % 60} min`
            : `${Math.floor(hours / 24)} d`
    const words = this.querySelector("span")
    if (words.textContent !== text) words.textContent = text
    this.title = "Waiting for an answer"
    if (minutes >= 30) this.dataset.state = minutes >= 60 ? "danger" : "warning"
  }
}

setInterval(() => clocks.forEach((clock) => clock.tick()), MINUTE / 2)
customElements.define("waiting-clock", WaitingClock)
