// Photographs, large: arrows turn the page, + and − zoom, Escape closes. Opens on a click on any link to a photo, with
// the others that stand in the same place. Says "message:reply" on the document where somebody wants to answer one.
const ZOOMS = 4
const STRIP = 11

class PhotoViewer extends HTMLElement {
  #links = []
  #at = 0
  #leaving

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    document.addEventListener("click", (event) => this.#look(event), { signal })
    this.#dialog.addEventListener("keydown", (event) => this.#press(event), { signal })
    this.#dialog.addEventListener("click", (event) => this.#click(event), { signal })
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  get #frame() {
    return this.querySelector(".viewer__frame")
  }

  get #zoom() {
    return Number(this.#frame.dataset.zoom ?? 1)
  }

  #look(event) {
    const link = event.target.closest("[data-photo]")
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    this.open(link, [...(link.closest("message-list, .thumbs") ?? document).querySelectorAll("[data-photo]")])
  }

  open(link, links) {
    this.#links = links
    this.#at = links.indexOf(link)
    this.#show()
    this.#dialog.showModal()
  }

  #press(event) {
    const turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const zoom = { "+": 1, "=": 1, "-": -1 }[event.key]
    // What is zoomed is looked round in with the arrows.
    if (turn && this.#zoom === 1) this.#turn(turn)
    else if (zoom) {
      this.#zoomTo(this.#zoom + zoom)
      this.#frame.focus()
    } else return
    event.preventDefault()
  }

  #click(event) {
    const button = event.target.closest("[data-turn], [data-zoom-by], [data-answer], [data-close], [data-at]")
    if (!button) {
      if (event.target.matches(".viewer__stage, .viewer__frame")) this.#dialog.close()
    } else if (button.matches("[data-turn]")) this.#turn(Number(button.dataset.turn))
    else if (button.matches("[data-zoom-by]")) this.#zoomTo(this.#zoom + Number(button.dataset.zoomBy))
    else if (button.matches("[data-at]")) this.#turn(Number(button.dataset.at) - this.#at)
    else {
      this.#dialog.close()
      if (button.matches("[data-answer]")) this.#answer()
    }
  }

  #turn(step) {
    const count = this.#links.length
    this.#at = (this.#at + step + count) % count
    this.#show()
  }

  #show() {
    const link = this.#links[this.#at]
    const small = link.querySelector("img")
    const picture = this.#frame.querySelector("img")
    picture.src = small.src
    picture.alt = small.alt
    this.#dialog.setAttribute("aria-label", `Photo ${this.#at + 1} of ${this.#links.length}`)
    this.querySelector(".viewer__bar p").replaceChildren(...title(link, small.alt))
    this.querySelector("a[download]").href = link.href
    this.querySelector("[data-answer]").hidden = !messageOf(link)
    for (const button of this.querySelectorAll("[data-turn]")) button.hidden = this.#links.length < 2
    this.#zoomTo(1)
    this.#drawStrip()
  }

  #zoomTo(zoom) {
    const frame = this.#frame
    const within = Math.min(ZOOMS, Math.max(1, zoom))
    const link = this.#links[this.#at]
    // Close up, the picture as it was sent has more to see than what was made of it.
    if (within > 1 && link.dataset.photo === "sharp") frame.querySelector("img").src = link.href
    frame.dataset.zoom = within
    this.querySelector("[data-zoom-by='1']").disabled = within === ZOOMS
    this.querySelector("[data-zoom-by='-1']").disabled = within === 1
    frame.scrollTo((frame.scrollWidth - frame.clientWidth) / 2, (frame.scrollHeight - frame.clientHeight) / 2)
    if (document.activeElement.disabled) frame.focus()
  }

  #drawStrip() {
    const strip = this.querySelector(".viewer__strip")
    const from = Math.max(0, Math.min(this.#at - Math.floor(STRIP / 2), this.#links.length - STRIP))
    const hadFocus = strip.contains(document.activeElement)
    strip.hidden = this.#links.length < 2
    strip.replaceChildren(...this.#links.slice(from, from + STRIP).map((link, index) => this.#stamp(link, from + index)))
    if (hadFocus) strip.querySelector("[aria-current]").focus()
  }

  #stamp(link, at) {
    const button = Object.assign(document.createElement("button"), { type: "button" })
    const picture = Object.assign(document.createElement("img"), { src: link.querySelector("img").src, alt: "" })
    button.dataset.at = at
    button.setAttribute("aria-label", `Photo ${at + 1} of ${this.#links.length}`)
    if (at === this.#at) button.setAttribute("aria-current", "true")
    button.append(picture)
    return button
  }

  #answer() {
    const link = this.#links[this.#at]
    const detail = { message: messageOf(link).id.replace("message-", ""), part: Number(link.dataset.part) }
    document.dispatchEvent(new CustomEvent("message:reply", { detail }))
  }
}

function messageOf(link) {
  return link.closest(".message")
}

// Who sent it and when; of a photo beside the conversation, what it is called.
function title(link, name) {
  const message = messageOf(link)
  if (!message) return [name]
  const by = message.querySelector(".message__by")
  const words = by.textContent.split("·")[0].trim()
  const time = document.createElement("local-time")
  time.setAttribute("datetime", message.dataset.at)
  time.dataset.style = "receipt"
  const small = document.createElement("small")
  small.append(" · ", time)
  return [words, small]
}

customElements.define("photo-viewer", PhotoViewer)
