// Photographs, large: arrows turn the page, Escape closes.
class PhotoViewer extends HTMLElement {
  #links = []
  #at = 0

  connectedCallback() {
    this.#dialog.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key]
      if (step) this.#turn(step)
    })
    this.#dialog.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-turn], [data-close]")
      if (button?.matches("[data-close]") || target.matches(".viewer__stage")) this.#dialog.close()
      else if (button) this.#turn(Number(button.dataset.turn))
    })
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  open(link, links) {
    this.#links = links
    this.#at = links.indexOf(link)
    this.#turn(0)
    this.#dialog.showModal()
  }

  #turn(step) {
    const count = this.#links.length
    this.#at = (this.#at + step + count) % count
    const link = this.#links[this.#at]
    const picture = this.querySelector(".viewer__stage img")
    picture.src = link.href
    picture.alt = link.querySelector("img").alt
    this.querySelector(".viewer__bar p").textContent = `${picture.alt} · ${this.#at + 1} of ${count}`
    this.querySelector("a[download]").href = link.href
    for (const button of this.querySelectorAll("[data-turn]")) button.hidden = count < 2
  }
}

customElements.define("photo-viewer", PhotoViewer)
