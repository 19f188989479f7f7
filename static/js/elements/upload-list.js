// Files on their way. Each is uploaded by itself as soon as it is chosen, shows how far it is, and can be stopped or
// tried again; the form carries the ids of those that have arrived.
import { headers } from "requests"

// A message has a hundred parts at most, and its text is one.
const MOST = 99

class UploadList extends HTMLElement {
  #uploads = []

  get isBusy() {
    return this.#uploads.some((upload) => upload.state === "sending")
  }

  get isEmpty() {
    return !this.#uploads.length
  }

  get hasFailed() {
    return this.#uploads.some((upload) => upload.state === "failed")
  }

  // What has arrived: [{ id, name, picture }], in order.
  get arrived() {
    return this.#uploads.filter((upload) => upload.state === "ready")
  }

  add(files) {
    const room = MOST - this.#uploads.length
    for (const file of [...files].slice(0, room)) this.#begin({ file, name: file.name || "Pasted picture", size: file.size })
    return files.length <= room
  }

  // A recording that did not arrive: it is tried again as one.
  addMemo(file) {
    this.#begin({ file, name: file.name, size: file.size, isVoice: true })
  }

  fetch(url) {
    this.#begin({ url, name: url })
  }

  // When they were sent; or, with those that came back, when they were not.
  replace(uploads = []) {
    for (const upload of this.#uploads) if (!uploads.includes(upload)) upload.request?.abort()
    this.#uploads = uploads
    this.#draw()
  }

  #begin(upload) {
    this.#uploads.push(upload)
    const limit = Number(this.dataset.max)
    if (upload.size > limit) this.#fail(upload, `${inWords(upload.size)}, the limit is ${inWords(limit)}`)
    else this.#send(upload)
    this.#draw()
  }

  #send(upload) {
    Object.assign(upload, { state: "sending", sent: 0, began: performance.now(), why: "" })
    const body = new FormData()
    if (upload.file) body.append("file", upload.file, upload.name)
    else body.append("url", upload.url)
    if (upload.isVoice) body.append("voice", "1")
    const request = (upload.request = new XMLHttpRequest())
    request.open("POST", this.dataset.url)
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded, total }) => {
      upload.sent = loaded / total
      this.#draw()
    }
    request.onload = () => this.#answered(upload, request)
    request.onerror = request.ontimeout = () => this.#fail(upload, "The server could not be reached", true)
    request.send(body)
    this.#tell()
  }

  #answered(upload, request) {
    if (request.status === 200) {
      const { id, name, size, url, type } = JSON.parse(request.responseText)
      Object.assign(upload, { state: "ready", id, name, size, type, picture: url })
    } else if (request.status === 422) this.#fail(upload, request.responseText)
    else this.#fail(upload, request.status === 413 ? "It is too large" : "It was not taken", request.status >= 500)
    this.#draw()
    this.#tell()
  }

  #fail(upload, why, again = false) {
    Object.assign(upload, { state: "failed", why, again })
    this.#draw()
    this.#tell()
  }

  #remove(upload) {
    upload.request?.abort()
    if (upload.id) fetch(`/uploads/${upload.id}/remove/`, { method: "POST", headers: headers() }).catch(() => null)
    this.#uploads = this.#uploads.filter((other) => other !== upload)
    this.#draw()
    this.#tell()
    this.dispatchEvent(new CustomEvent("upload:removed", { bubbles: true }))
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("upload:changed", { bubbles: true }))
  }

  #draw() {
    const list = this.querySelector("ul")
    list.replaceChildren(...this.#uploads.map((upload) => this.#chip(upload)))
    this.hidden = this.isEmpty
  }

  #chip(upload) {
    const chip = this.querySelector("template").content.firstElementChild.cloneNode(true)
    const [kind, words] = [chip.querySelector(".file-card__kind"), chip.querySelector("small")]
    const [meter, remove, again] = [chip.querySelector(".meter"), chip.querySelector("[data-remove]"), chip.querySelector("[data-again]")]
    if (upload.state === "failed") chip.dataset.state = "failed"
    chip.querySelector("b").textContent = upload.name
    if (upload.file?.type.startsWith("image/") && !/hei[cf]|tiff/.test(upload.file.type)) {
      upload.preview ??= URL.createObjectURL(upload.file)
      kind.replaceWith(Object.assign(new Image(), { alt: "", src: upload.preview }))
    } else kind.textContent = (upload.name.match(/\.(\w{1,4})$/)?.[1] ?? "file").toUpperCase()
    words.textContent = { ready: `Ready · ${inWords(upload.size)}`, failed: upload.why, sending: progress(upload) }[upload.state]
    meter.toggleAttribute("hidden", upload.state !== "sending")
    meter.querySelector(".meter__fill").setAttribute("width", `${Math.round(100 * (upload.sent ?? 0))}%`)
    const verb = upload.state === "sending" ? "Cancel" : "Remove"
    remove.setAttribute("aria-label", `${verb} ${upload.name}`)
    remove.title = verb
    remove.onclick = () => this.#remove(upload)
    again.hidden = !(upload.state === "failed" && upload.again)
    again.setAttribute("aria-label", `Try ${upload.name} again`)
    again.onclick = () => (this.#send(upload), this.#draw())
    return chip
  }
}

function progress({ sent, size, began, url }) {
  if (url) return "Fetching it…"
  if (!sent) return "Waiting…"
  if (sent >= 1) return "Looking at it…"
  const left = ((performance.now() - began) / sent) * (1 - sent)
  return `${Math.round(100 * sent)} % · ${left > 1500 ? `${Math.round(left / 1000)} s left` : inWords(size)}`
}

export function inWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`
  return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${Math.round((10 * bytes) / 1048576) / 10} MB`
}

customElements.define("upload-list", UploadList)
