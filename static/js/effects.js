// The effects of iMessage, as far as a browser can draw them: on a bubble, or over a whole stage. Who wants less motion
// gets none; the words beside the message say what it was sent with.
const still = matchMedia("(prefers-reduced-motion: reduce)")
const EASE = "cubic-bezier(0.2, 0.7, 0.3, 1)"
const COLOURS = ["teal", "rust", "plum", "moss", "slate", "honey"].map((wire) => `var(--wire-${wire})`)
const between = (low, high) => low + Math.random() * (high - low)

const bubbles = {
  slam: [
    { transform: "scale(3) rotate(-6deg)", opacity: 0 },
    { transform: "scale(0.92)", opacity: 1, offset: 0.4 },
    { transform: "scale(1.04)", offset: 0.6 },
    { transform: "none" },
  ],
  loud: [
    { transform: "scale(0.4)", opacity: 0 },
    { transform: "scale(1.5) rotate(2deg)", opacity: 1, offset: 0.35 },
    { transform: "scale(1.5) rotate(-2deg)", offset: 0.5 },
    { transform: "scale(1.5) rotate(2deg)", offset: 0.65 },
    { transform: "none" },
  ],
  gentle: [{ transform: "scale(0.4)", opacity: 0 }, { transform: "scale(0.75)", opacity: 1, offset: 0.7 }, { transform: "none" }],
}
const lasting = { slam: 700, loud: 1100, gentle: 1800 }

const screens = { confetti, fireworks, lasers, balloons, love, celebration, spotlight, echo }

// Plays `name` on `bubble`, which stands in `stage`. Resolves when it is over.
export function play(name, { bubble, stage }) {
  if (still.matches || !bubble) return Promise.resolve()
  if (name === "invisible") return hide(bubble)
  if (bubbles[name]) return bubble.animate(bubbles[name], { duration: lasting[name], easing: EASE }).finished
  if (!screens[name] || !stage) return Promise.resolve()
  const layer = document.createElement("div")
  layer.className = "effect-stage"
  layer.setAttribute("aria-hidden", "true")
  stage.append(layer)
  const box = layer.getBoundingClientRect()
  return Promise.all(screens[name](layer, box, bubble)).finally(() => layer.remove())
}

// Invisible ink: there until it is pointed at or pressed.
function hide(bubble) {
  bubble.dataset.ink = ""
  return new Promise((resolve) => {
    const show = () => {
      delete bubble.dataset.ink
      for (const name of ["pointerenter", "click", "focusin"]) bubble.removeEventListener(name, show)
      resolve()
    }
    for (const name of ["pointerenter", "click", "focusin"]) bubble.addEventListener(name, show)
  })
}

function speck(layer, shape, at) {
  const speck = document.createElement("i")
  speck.dataset.shape = shape
  Object.assign(speck.style, at)
  layer.append(speck)
  return speck
}

function fall(speck, frames, duration, delay = 0) {
  return speck.animate(frames, { duration, delay, easing: "cubic-bezier(0.3, 0.1, 0.6, 1)", fill: "both" }).finished
}

function confetti(layer, { width, height }) {
  return Array.from({ length: 90 }, () => {
    const piece = speck(layer, "paper", { left: `${between(0, 100)}%`, background: pick(COLOURS) })
    const drift = between(-width / 6, width / 6)
    return fall(
      piece,
      [
        { transform: "translateY(-2rem) rotate(0)", opacity: 1 },
        { opacity: 1, offset: 0.8 },
        { transform: `translate(${drift}px, ${height * between(0.7, 1.05)}px) rotate(${between(360, 1080)}deg)`, opacity: 0 },
      ],
      between(1800, 3200),
      between(0, 700),
    )
  })
}

function burst(layer, x, y, delay, count = 26) {
  const colour = pick(COLOURS)
  return Array.from({ length: count }, (_, index) => {
    const angle = (index / count) * 2 * Math.PI
    const reach = between(60, 150)
    const spark = speck(layer, "spark", { left: `${x}px`, top: `${y}px`, background: colour })
    const [dx, dy] = [Math.cos(angle) * reach, Math.sin(angle) * reach]
    return fall(
      spark,
      [
        { transform: "scale(0.2)", opacity: 0 },
        { transform: `translate(${dx * 0.8}px, ${dy * 0.8}px)`, opacity: 1, offset: 0.4 },
        { transform: `translate(${dx}px, ${dy + 40}px) scale(0.3)`, opacity: 0 },
      ],
      1300,
      delay,
    )
  })
}

function fireworks(layer, { width, height }) {
  return Array.from({ length: 6 }, (_, index) =>
    burst(layer, between(0.15, 0.85) * width, between(0.15, 0.55) * height, index * 350),
  ).flat()
}

function celebration(layer, { width, height }) {
  return Array.from({ length: 8 }, (_, index) =>
    burst(layer, between(0.55, 0.95) * width, between(0.05, 0.35) * height, index * 220, 14),
  ).flat()
}

function lasers(layer, { height }, bubble) {
  const y = bubble.getBoundingClientRect().top - layer.getBoundingClientRect().top
  return Array.from({ length: 12 }, (_, index) => {
    const ray = speck(layer, "ray", { top: `${Math.min(height, Math.max(0, y))}px`, background: pick(COLOURS) })
    const from = between(-70, -10)
    return fall(
      ray,
      [
        { transform: `rotate(${from}deg) scaleX(0)`, opacity: 0 },
        { transform: `rotate(${from / 2}deg) scaleX(1)`, opacity: 0.9, offset: 0.4 },
        { transform: `rotate(${-from / 2}deg) scaleX(1)`, opacity: 0 },
      ],
      1700,
      index * 90,
    )
  })
}

function balloons(layer, { height }) {
  return Array.from({ length: 14 }, () => {
    const balloon = speck(layer, "balloon", { left: `${between(2, 94)}%`, background: pick(COLOURS) })
    return fall(
      balloon,
      [
        { transform: `translateY(${height + 60}px)`, opacity: 1 },
        { transform: `translate(${between(-30, 30)}px, -6rem)`, opacity: 0.9 },
      ],
      between(2400, 4200),
      between(0, 900),
    )
  })
}

function love(layer, box, bubble) {
  const place = bubble.getBoundingClientRect()
  const heart = speck(layer, "heart", {
    left: `${place.left - box.left + place.width / 2}px`,
    top: `${place.top - box.top}px`,
  })
  return [
    fall(
      heart,
      [
        { transform: "translate(-50%, -50%) scale(0.2)", opacity: 0 },
        { transform: "translate(-50%, -90%) scale(2.4)", opacity: 1, offset: 0.4 },
        { transform: "translate(-50%, -90%) scale(2.1)", opacity: 1, offset: 0.6 },
        { transform: "translate(-50%, -320%) scale(2.6)", opacity: 0 },
      ],
      2600,
    ),
  ]
}

function spotlight(layer, box, bubble) {
  const place = bubble.getBoundingClientRect()
  const x = place.left - box.left + place.width / 2
  const y = place.top - box.top + place.height / 2
  const light = speck(layer, "light", {})
  light.style.setProperty("--light-x", `${x}px`)
  light.style.setProperty("--light-y", `${y}px`)
  return [fall(light, [{ opacity: 0 }, { opacity: 1, offset: 0.2 }, { opacity: 1, offset: 0.8 }, { opacity: 0 }], 2600)]
}

function echo(layer, box, bubble) {
  const words = bubble.textContent.trim().slice(0, 60)
  return Array.from({ length: 22 }, () => {
    const copy = speck(layer, "echo", { left: `${between(-5, 80)}%`, top: `${between(0, 90)}%` })
    copy.textContent = words
    return fall(
      copy,
      [
        { transform: "scale(0.3)", opacity: 0 },
        { transform: "scale(0.9)", opacity: 0.9, offset: 0.5 },
        { transform: "scale(0.4)", opacity: 0 },
      ],
      between(1200, 2200),
      between(0, 900),
    )
  })
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)]
}
