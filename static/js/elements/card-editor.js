// Shows the card while it is being written: the names, and the picture as it will be cut.
class CardEditor extends HTMLElement {
  #url

  connectedCallback() {
    this.oninput = () => this.#write()
    this.onchange = (event) => event.target.type === "file" && this.#look()
    // htmx puts a file that was chosen before back in its place only after this has woken.
    requestAnimationFrame(() => this.#file && this.#look())
  }

  disconnectedCallback() {
    URL.revokeObjectURL(this.#url)
  }

  get #file() {
    return this.querySelector("input[type=file]").files[0]
  }

  #write() {
    const named = this.querySelector("[data-name]")
    const values = ["first_name", "last_name"].map((name) => this.querySelector(`[name=${name}]`).value.trim())
    named.textContent = values.filter(Boolean).join(" ") || named.dataset.empty
    const number = this.querySelector("[data-number]").textContent
    this.querySelector(".card-editor__preview").ariaLabel = `Preview: ${named.textContent}, ${number}`
  }

  async #look() {
    URL.revokeObjectURL(this.#url)
    const file = this.#file
    if (!file) return
    this.#url = URL.createObjectURL(file)
    const image = new Image()
    image.src = this.#url
    // A HEIC, or no picture at all: the server knows.
    const isSeen = await image.decode().then(() => true, () => false)
    this.#say(isSeen ? this.#verdict(file, image) : `${file.name} is shown once it is saved.`)
    if (!isSeen) return
    for (const picture of this.querySelectorAll("[data-picture]")) {
      picture.src = this.#url
      picture.hidden = false
    }
    for (const initials of this.querySelectorAll("[data-initials]")) initials.hidden = true
  }

  #verdict(file, { naturalWidth: width, naturalHeight: height }) {
    const { smallest, most } = this.dataset
    const size = `${file.name}, ${width} × ${height}`
    if (file.size > most) return `${size}: larger than ${most / 1024 ** 2} MB, which will be refused.`
    if (Math.min(width, height) < smallest) return `${size}: too small, ${smallest} × ${smallest} is the least.`
    if (width !== height) return `${size}: not square, so it is cut from the middle as you see it.`
    return `${size}.`
  }

  #say(words) {
    this.querySelector("[data-said]").textContent = words
  }
}

customElements.define("card-editor", CardEditor)
