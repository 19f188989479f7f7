// What can be done with one message: react, answer, copy, edit, delete. Opened by its button, a right click, a long
// press or the menu key; with + the reactions. The server says what is possible; this only leaves out what cannot be.
import { lastUsed, use } from "elements/emoji-picker"

const HELD = 500
const EDITS = 5

class MessageMenu extends HTMLElement {
  #leaving
  #message
  #part = 0
  #holding
  #opener

  connectedCallback() {
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const list = this.#list
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal })
    on(list, "contextmenu", (event) => this.#asked(event))
    on(list, "click", (event) => this.#pressed(event))
    on(list, "keydown", (event) => this.#keyed(event))
    on(list, "pointerdown", (event) => this.#held(event))
    for (const name of ["pointerup", "pointercancel", "pointermove"]) on(list, name, () => clearTimeout(this.#holding))
    on(document, "message:react", () => this.#reactToLast())
    on(document, "pointerdown", (event) => this.hidden || this.contains(event.target) || this.close({ refocus: false }))
    on(this, "click", (event) => this.#chosen(event))
    on(this, "keydown", (event) => this.#walk(event))
    on(this, "emoji:chosen", ({ detail }) => this.#react("custom", detail))
  }

  disconnectedCallback() {
    this.#leaving.abort()
  }

  get #list() {
    return document.querySelector("message-list")
  }

  // Where it was asked for.

  #bubbleOf(target) {
    return target.closest(".message[id^=message-]:not([data-deleted])")
  }

  #asked(event) {
    const message = this.#bubbleOf(event.target)
    if (!message || event.target.closest("a, video, audio") || getSelection().toString()) return
    event.preventDefault()
    this.open(message, event.target.closest("[data-part]"), { x: event.clientX, y: event.clientY })
  }

  #held(event) {
    const message = this.#bubbleOf(event.target)
    if (!message || event.pointerType !== "touch") return
    clearTimeout(this.#holding)
    const [part, place] = [event.target.closest("[data-part]"), { x: event.clientX, y: event.clientY }]
    this.#holding = setTimeout(() => this.open(message, part, place), HELD)
  }

  #pressed(event) {
    const message = this.#bubbleOf(event.target)
    const more = event.target.closest(".message__more")
    const reaction = event.target.closest(".reaction")
    if (message && more) return this.open(message, more.closest("[data-part]"))
    if (message && reaction && reaction.dataset.type !== "sticker") this.#toggle(message, reaction)
  }

  #keyed(event) {
    const message = this.#bubbleOf(event.target)
    if (!message || event.target.closest("input, textarea")) return
    const opens = event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey) || event.key === "+"
    if (event.target === message && (event.key === "Enter" || opens)) {
      event.preventDefault()
      event.stopPropagation()
      this.open(message, null)
    }
  }

  #reactToLast() {
    const messages = [...this.#list.querySelectorAll(".message[id^=message-]:not([data-deleted])")]
    const message = document.activeElement.closest(".message") ?? messages.findLast((item) => item.dataset.direction === "in") ?? messages.at(-1)
    if (message) this.open(message, null)
  }

  // Open and closed.

  open(message, part, place) {
    this.#message = message
    this.#opener = document.activeElement
    const bubble = part ?? message.querySelector("[data-part]")
    this.#part = Number(bubble?.dataset.part ?? 0)
    this.replaceChildren(this.querySelector("template"), this.#surface(bubble))
    this.hidden = false
    this.#put(bubble ?? message, place)
    this.querySelector(".reaction-picker__choice, [role=menuitem]")?.focus()
  }

  // It may have been drawn anew behind the menu.
  get #current() {
    return document.getElementById(this.#message?.id)
  }

  close({ refocus = true } = {}) {
    this.hidden = true
    if (refocus) (this.#opener?.isConnected ? this.#opener : this.#current)?.focus?.()
  }

  #surface(bubble) {
    const surface = document.importNode(this.querySelector("template").content, true)
    const { direction, service, editableUntil, edits, known } = this.#message.dataset
    const left = Math.ceil((Date.parse(editableUntil) - Date.now()) / 60000)
    const text = bubble?.querySelector(".message__text")
    const can = {
      react: known !== undefined && service !== "sms",
      reply: known !== undefined,
      copy: Boolean(text),
      edit: direction === "out" && service === "imessage" && left > 0 && Number(edits) < EDITS && Boolean(text),
      file: filesIn(bubble).length > 0,
    }
    for (const item of surface.querySelectorAll("[data-can]")) if (!can[item.dataset.can]) item.remove()
    const edit = surface.querySelector("[data-do=edit] > small")
    if (edit) edit.textContent = `${left} min left`
    const thread = surface.querySelector("[data-do=thread]")
    if (thread && !this.#message.querySelector(".quote") && !this.#isAnswered()) thread.remove()
    this.#offer(surface, bubble)
    this.#offerFiles(surface, bubble)
    return surface
  }

  #isAnswered() {
    return Boolean(this.#list.querySelector(`[data-original="${this.#message.id.replace("message-", "")}"]`))
  }

  // The six, then the emoji used last; my own is filled.
  #offer(surface, bubble) {
    const picker = surface.querySelector(".reaction-picker")
    if (!picker) return
    const mine = bubble?.querySelector(".reaction[aria-pressed=true]")?.dataset
    const model = picker.querySelector("[data-emoji-choice]")
    for (const character of lastUsed().slice(0, 2)) {
      const choice = model.cloneNode(true)
      Object.assign(choice.dataset, { type: "custom", emoji: character })
      choice.textContent = character
      choice.setAttribute("aria-label", `React with ${character}`)
      choice.hidden = false
      model.before(choice)
    }
    model.remove()
    for (const choice of picker.querySelectorAll("[data-type]")) {
      const isMine = mine?.type === choice.dataset.type && (mine.emoji ?? "") === (choice.dataset.emoji ?? "")
      choice.setAttribute("aria-pressed", String(isMine))
    }
  }

  // Of several photos in one bubble each can go by itself.
  #offerFiles(surface, bubble) {
    const item = surface.querySelector("[data-do=file]")
    if (!item) return
    const files = filesIn(bubble)
    for (const file of files) {
      const choice = item.cloneNode(true)
      choice.dataset.file = file.dataset.file
      if (files.length > 1) choice.querySelector("span").textContent = `Delete ${file.dataset.name}`
      item.before(choice)
    }
    item.remove()
  }

  #put(bubble, place) {
    const [zone, box, own] = [this.offsetParent.getBoundingClientRect(), bubble.getBoundingClientRect(), this.getBoundingClientRect()]
    const x = place?.x ?? (this.#message.dataset.direction === "out" ? box.right - own.width : box.left)
    const y = place?.y ?? box.bottom + 4
    const fits = y + own.height < zone.bottom - 8
    const top = fits ? y : Math.max(zone.top + 8, Math.min(box.top - own.height - 4, zone.bottom - own.height - 8))
    this.style.insetInlineStart = `${Math.max(8, Math.min(x, zone.right - own.width - 8) - zone.left)}px`
    this.style.insetBlockStart = `${top - zone.top}px`
  }

  #walk(event) {
    if (event.key === "Escape") {
      event.stopPropagation()
      return this.close()
    }
    if (event.target.closest("emoji-picker")) return
    const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const columns = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!rows && !columns) return
    event.preventDefault()
    const choices = [...this.querySelectorAll(".reaction-picker__choice")]
    const items = [...this.querySelectorAll("[role=menuitem]")]
    const inPicker = choices.indexOf(document.activeElement)
    if (columns && inPicker >= 0) return choices[(inPicker + columns + choices.length) % choices.length].focus()
    const all = [...choices.slice(0, 1), ...items]
    const at = inPicker >= 0 ? 0 : all.indexOf(document.activeElement)
    all[(at + (rows ?? columns) + all.length) % all.length]?.focus()
  }

  // What was chosen.

  #chosen({ target }) {
    const choice = target.closest("[data-type]")
    if (choice) return this.#react(choice.dataset.type, choice.dataset.emoji, choice.getAttribute("aria-pressed") === "true")
    if (target.closest("[data-all-emoji]")) return this.#showEmoji()
    const { do: verb, file } = target.closest("[data-do]")?.dataset ?? {}
    if (verb) this.#do(verb, file)
  }

  #showEmoji() {
    const surface = this.querySelector(".message-menu__surface")
    surface.replaceChildren(document.createElement("emoji-picker"))
    this.#put(this.#message.querySelector("[data-part]") ?? this.#message)
  }

  #do(verb, file) {
    const message = this.#current
    if (!message) return this.close()
    const id = message.id.replace("message-", "")
    const bubble = message.querySelector(`[data-part="${this.#part}"]`)
    const words = bubble?.querySelector(".message__text")?.innerText ?? bubble?.innerText.trim() ?? ""
    this.close({ refocus: verb === "copy" || verb === "link" })
    if (verb === "reply") tell("message:reply", { message: id, part: this.#part, words: words.slice(0, 120) })
    if (verb === "thread") tell("message:thread", { message: id })
    if (verb === "copy") navigator.clipboard?.writeText(words)
    if (verb === "link") navigator.clipboard?.writeText(new URL(`/messages/${id}/`, location.href).href)
    if (verb === "edit") this.#edit(message, bubble, words)
    if (verb === "delete") this.#post(message, "delete")
    if (verb === "file") this.#post(message, null, { message: id }, `/media/${file}/delete/`)
  }

  #react(type, emoji = "", isMine = false) {
    if (type === "custom") use(emoji)
    this.close()
    this.#post(this.#message, "react", { type, emoji, part: this.#part, operation: isMine ? "remove" : "add" })
  }

  #toggle(message, reaction) {
    const { type, emoji, part } = reaction.dataset
    const isMine = reaction.getAttribute("aria-pressed") === "true"
    // It answers at once; what the server says takes its place.
    reaction.setAttribute("aria-pressed", String(!isMine))
    this.#post(message, "react", { type, emoji, part, operation: isMine ? "remove" : "add" })
  }

  #post(message, verb, values = {}, url = `/messages/${message.id.replace("message-", "")}/${verb}/`) {
    return htmx.ajax("POST", url, { target: `#${message.id}`, swap: "outerHTML", values })
  }

  // The bubble becomes a field; Enter keeps it, Escape does not.
  #edit(message, bubble, words) {
    const form = document.importNode(this.querySelector("template[data-edit]")?.content ?? document.querySelector("template[data-edit]").content, true).firstElementChild
    const field = form.elements.text
    field.value = words
    const text = bubble.querySelector(".message__text")
    text.hidden = true
    text.after(form)
    // The message may have been drawn anew round the form.
    const undo = () => {
      const shown = form.previousElementSibling
      form.remove()
      shown.hidden = false
      shown.closest(".message").focus()
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      if (field.value.trim() === words.trim()) return undo()
      this.#post(message, "edit", { text: field.value, part: bubble.dataset.part })
    })
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.stopPropagation(), undo()
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) event.preventDefault(), form.requestSubmit()
    })
    form.querySelector("[data-undo]").addEventListener("click", undo)
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
  }
}

function filesIn(bubble) {
  if (bubble?.matches("[data-file]")) return [bubble]
  return [...(bubble?.querySelectorAll("[data-file]") ?? [])]
}

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }))
}

customElements.define("message-menu", MessageMenu)
