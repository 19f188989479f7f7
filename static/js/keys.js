// Keys outside text fields. A button says which key presses it by `data-key-…`, so nothing is done twice.
const moves = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }

function move(step) {
  const rows = [...document.querySelectorAll(".chat-row")]
  const at = rows.findIndex((row) => row === document.activeElement)
  const open = rows.findIndex((row) => row.getAttribute("aria-current") === "true")
  const next = rows[at >= 0 ? at + step : open >= 0 ? open + step : 0]
  next?.focus()
  return next
}

// To the message that has the focus, or just to the conversation.
function reply(message) {
  const words = message?.querySelector(".message__text")?.innerText.slice(0, 120) ?? ""
  const id = message?.id.replace("message-", "")
  if (message?.dataset.known !== undefined) {
    return document.dispatchEvent(new CustomEvent("message:reply", { detail: { message: id, part: 0, words } }))
  }
  document.dispatchEvent(new CustomEvent("conversation:mode", { detail: "reply" }))
}

// From message to message, beginning with the newest.
function walk(message, step) {
  const all = [...document.querySelectorAll("message-list .message[id]")]
  const next = message ? all[all.indexOf(message) + step] : all.at(-1)
  next?.focus()
}

function press(event) {
  if (event.metaKey || event.ctrlKey || event.altKey) return
  const typing = event.target.closest("input, textarea, select, [contenteditable], [role=menu], dialog")
  if (event.key === "Escape") return leave(event)
  if (typing) return
  const key = event.key.toLowerCase()
  if (key === "j" || key === "k") {
    move(moves[key])?.click()
  } else if (event.key in moves && event.target.closest(".chat-row")) {
    move(moves[event.key])
  } else if (key === "/") {
    const field = document.querySelector("[data-search]")
    document.body.dataset.screen === "conversation" && !field?.checkVisibility() ? location.assign("/search/") : field?.select()
  } else if (key === "r") {
    reply(event.target.closest(".message"))
  } else if (event.key === "+") {
    document.dispatchEvent(new CustomEvent("message:react"))
  } else if (event.key in moves && event.target.closest("message-list")) {
    walk(event.target.closest(".message"), moves[event.key])
  } else if (/^[a-z]$/.test(key) && document.querySelector(`[data-key-${key}]`)) {
    document.querySelector(`[data-key-${key}]`).click()
  } else {
    return
  }
  event.preventDefault()
}

// Out of the composer first; on a phone, then back a screen.
function leave(event) {
  if (event.target.closest("dialog, pop-over[open]")) return
  if (event.target.closest("textarea, input")) return event.target.blur()
  if (document.body.dataset.screen === "details") document.body.dataset.screen = "conversation"
  else document.querySelector("[data-leave]")?.click()
}

document.addEventListener("keydown", press)
