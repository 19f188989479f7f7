// A sound with its waveform: play and pause, seek, speed. Without this it is a link to the sound.
const SPEEDS = [1, 1.5, 2]

class VoiceMemo extends HTMLElement {
  #leaving

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.#build()
    for (const event of ["play", "pause", "timeupdate", "seeked", "ended", "ratechange", "error"]) {
      this.#sound.addEventListener(event, () => this.#draw(), { signal })
    }
    this.addEventListener("click", (event) => this.#click(event), { signal })
    this.#slider.addEventListener("keydown", (event) => this.#press(event), { signal })
    this.#slider.addEventListener("pointerdown", (event) => this.#grab(event), { signal })
    this.#slider.addEventListener("pointermove", (event) => this.#drag(event), { signal })
    this.#draw()
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #sound() {
    return this.querySelector("audio")
  }

  get #slider() {
    return this.querySelector(".voice-memo__seek")
  }

  get #button() {
    return this.querySelector(".voice-memo__play")
  }

  get #seconds() {
    return Number(this.dataset.seconds) || this.#sound.duration || 1
  }

  // What the server drew, made into controls; once, also where a page comes back from the history.
  #build() {
    const link = this.#button
    if (link.localName === "button") return
    const button = document.createElement("button")
    button.type = "button"
    button.className = link.className
    button.append(...link.childNodes)
    link.replaceWith(button)
    const slider = this.#slider
    slider.tabIndex = 0
    slider.setAttribute("role", "slider")
    slider.setAttribute("aria-label", "Where it plays")
    slider.setAttribute("aria-valuemin", 0)
    slider.setAttribute("aria-valuemax", Math.ceil(this.#seconds))
    const speed = Object.assign(document.createElement("button"), { type: "button", className: "voice-memo__speed" })
    this.append(speed)
  }

  #click({ target }) {
    const sound = this.#sound
    if (target.closest(".voice-memo__play")) {
      // Whoever presses again before it began has stopped it; that it cannot be played is drawn.
      sound.paused ? sound.play().catch(() => this.#draw()) : sound.pause()
    } else if (target.closest(".voice-memo__speed")) {
      sound.playbackRate = SPEEDS[(SPEEDS.indexOf(sound.playbackRate) + 1) % SPEEDS.length]
    }
  }

  #press(event) {
    const step = Math.max(1, this.#seconds / 20)
    const at = this.#sound.currentTime
    const to = {
      ArrowRight: at + step,
      ArrowUp: at + step,
      ArrowLeft: at - step,
      ArrowDown: at - step,
      PageUp: at + step * 4,
      PageDown: at - step * 4,
      Home: 0,
      End: this.#seconds,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    event.stopPropagation()
    this.#seek(to)
  }

  #grab(event) {
    if (event.button) return
    this.#slider.setPointerCapture(event.pointerId)
    this.#follow(event)
  }

  #drag(event) {
    if (this.#slider.hasPointerCapture(event.pointerId)) this.#follow(event)
  }

  #follow(event) {
    const { left, width } = this.#slider.getBoundingClientRect()
    this.#seek(((event.clientX - left) / width) * this.#seconds)
  }

  #seek(to) {
    this.#sound.currentTime = Math.min(this.#seconds, Math.max(0, to))
    this.#draw()
  }

  #draw() {
    const sound = this.#sound
    const at = sound.ended ? 0 : sound.currentTime
    const bars = [...this.querySelectorAll(".voice-memo__wave rect")]
    const played = Math.round((at / this.#seconds) * bars.length)
    bars.forEach((bar, index) => bar.classList.toggle("is-played", index < played))
    this.dataset.state = sound.error ? "failed" : sound.paused ? "paused" : "playing"
    const whole = clock(this.#seconds)
    const verb = sound.paused ? "Play" : "Pause"
    this.#button.setAttribute("aria-label", `${verb} voice memo, ${whole}`)
    this.querySelector(".voice-memo__time").textContent = sound.error ? "Cannot be played" : at ? clock(at) : whole
    this.#slider.setAttribute("aria-valuenow", Math.round(at))
    this.#slider.setAttribute("aria-valuetext", `${clock(at)} of ${whole}`)
    const speed = this.querySelector(".voice-memo__speed")
    speed.textContent = `${sound.playbackRate}×`
    speed.setAttribute("aria-label", `${sound.playbackRate}× speed`)
  }
}

function clock(seconds) {
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (number) => String(number).padStart(2, "0")
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

// One voice at a time.
document.addEventListener(
  "play",
  ({ target }) => {
    for (const other of document.querySelectorAll("voice-memo audio, .message__video")) if (other !== target) other.pause()
  },
  true,
)

customElements.define("voice-memo", VoiceMemo)
