// Light, dark or as the system has it. The cookie lets the server draw the next page right from the start.
class ThemeChoice extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const choice = event.target.closest("[data-theme-choice]")
      if (choice) this.#choose(choice.dataset.themeChoice)
    })
    this.#mark(document.documentElement.dataset.theme ?? "")
  }

  #choose(theme) {
    document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`
    if (theme) document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme
    this.#mark(theme)
  }

  #mark(theme) {
    for (const choice of this.querySelectorAll("[data-theme-choice]")) {
      choice.setAttribute("aria-checked", String(choice.dataset.themeChoice === theme))
    }
  }
}

customElements.define("theme-choice", ThemeChoice)
