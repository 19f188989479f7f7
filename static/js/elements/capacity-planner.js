// Each slider moves its number and each number its slider; the form asks by itself what follows.
class CapacityPlanner extends HTMLElement {
  #pair = ({ target }) => {
    if (target.dataset.of) this.querySelector(`#${target.dataset.of}`).value = target.value
    const slider = this.querySelector(`[data-of="${target.id}"]`)
    if (slider && target.value !== "") slider.value = target.value
  }

  connectedCallback() {
    this.addEventListener("input", this.#pair)
    this.querySelector("button").hidden = true
  }

  disconnectedCallback() {
    this.removeEventListener("input", this.#pair)
  }
}

customElements.define("capacity-planner", CapacityPlanner)
