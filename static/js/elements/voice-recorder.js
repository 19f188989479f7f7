// A voice memo: recorded here, heard before it leaves, sent alone. Space stops, Escape throws away.
const LONGEST = 5 * 60
const SHORTEST = 0.5
const BARS = 44

class VoiceRecorder extends HTMLElement {
  #recorder
  #stream
  #context
  #levels = []
  #began
  #ticking
  #memo

  connectedCallback() {
    this.addEventListener("click", (event) => this.#pressed(event))
    this.addEventListener("keydown", (event) => this.#key(event))
  }

  disconnectedCallback() {
    this.#release()
  }

  get memo() {
    return this.#memo
  }

  // Rejects where there is no microphone, or it may not be used.
  async start() {
    this.#memo = null
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    const type = ["audio/mp4", "audio/webm;codecs=opus", "audio/webm"].find((kind) => MediaRecorder.isTypeSupported(kind))
    this.#recorder = new MediaRecorder(this.#stream, { mimeType: type, audioBitsPerSecond: 48000 })
    const chunks = []
    this.#recorder.ondataavailable = ({ data }) => chunks.push(data)
    this.#recorder.onstop = () => this.#stopped(new Blob(chunks, { type: this.#recorder.mimeType }))
    this.#levels = []
    this.querySelector("[role=timer]").textContent = clock(0)
    this.#began = performance.now()
    this.#recorder.start(250)
    this.#listen()
    this.#show("recording")
    this.querySelector("[data-stop]").focus()
  }

  #listen() {
    this.#context = new AudioContext()
    const analyser = this.#context.createAnalyser()
    analyser.fftSize = 512
    this.#context.createMediaStreamSource(this.#stream).connect(analyser)
    const samples = new Uint8Array(analyser.fftSize)
    this.#ticking = setInterval(() => {
      analyser.getByteTimeDomainData(samples)
      this.#levels.push(Math.max(...samples.map((sample) => Math.abs(sample - 128))) / 128)
      this.#draw(this.#levels.slice(-BARS))
      const seconds = (performance.now() - this.#began) / 1000
      this.querySelector("[role=timer]").textContent = clock(seconds)
      if (seconds >= LONGEST) this.#stop()
    }, 100)
  }

  #stop() {
    if (this.#recorder?.state === "recording") this.#recorder.stop()
  }

  #stopped(blob) {
    const seconds = (performance.now() - this.#began) / 1000
    this.#release()
    if (this.#discarded) return (this.#discarded = false)
    if (seconds < SHORTEST || !blob.size) return this.#discard("too short")
    const suffix = blob.type.includes("mp4") ? "m4a" : "webm"
    this.#memo = new File([blob], `Voice memo.${suffix}`, { type: blob.type })
    this.#show("review")
    const player = this.querySelector("audio")
    player.src = URL.createObjectURL(blob)
    this.querySelector("[data-length]").textContent = clock(seconds)
    this.#draw(evenly(this.#levels, BARS))
    this.querySelector("[data-play]").focus()
    this.dispatchEvent(new CustomEvent("memo:ready", { bubbles: true }))
  }

  #discarded = false

  #discard(why) {
    this.#discarded = this.#recorder?.state === "recording"
    this.#stop()
    this.#release()
    this.#memo = null
    this.hidden = true
    this.dispatchEvent(new CustomEvent("memo:gone", { bubbles: true, detail: why }))
  }

  #release() {
    clearInterval(this.#ticking)
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    if (this.#context?.state !== "closed") this.#context?.close()
    this.#context = this.#stream = null
  }

  #show(state) {
    this.hidden = false
    this.dataset.state = state
    for (const part of this.querySelectorAll("[data-in]")) part.hidden = part.dataset.in !== state
  }

  #draw(levels) {
    const wave = this.querySelector(`[data-in=${this.dataset.state}] .voice-memo__wave`)
    const svg = "http://www.w3.org/2000/svg"
    wave.replaceChildren(
      ...levels.map((level, index) => {
        const bar = document.createElementNS(svg, "rect")
        const height = Math.max(3, Math.min(26, level * 40))
        const sizes = { x: index * 4, y: (28 - height) / 2, width: 2, height, rx: 1, class: "is-played" }
        for (const [name, value] of Object.entries(sizes)) bar.setAttribute(name, value)
        return bar
      }),
    )
  }

  #pressed({ target }) {
    if (target.closest("[data-stop]")) this.#stop()
    if (target.closest("[data-discard]")) this.#discard()
    if (target.closest("[data-again]")) this.start().catch(() => this.#discard())
    if (target.closest("[data-play]")) {
      const player = this.querySelector("audio")
      player.paused ? player.play() : player.pause()
    }
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation()
      this.#discard()
    }
    if (event.key === " " && this.dataset.state === "recording") {
      event.preventDefault()
      this.#stop()
    }
  }

  close() {
    this.#release()
    this.#memo = null
    this.hidden = true
  }
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`
}

function evenly(levels, count) {
  const step = Math.max(1, levels.length / count)
  return Array.from({ length: Math.min(count, levels.length) }, (_, index) =>
    Math.max(...levels.slice(Math.floor(index * step), Math.max(Math.floor(index * step) + 1, Math.floor((index + 1) * step)))),
  )
}

customElements.define("voice-recorder", VoiceRecorder)
