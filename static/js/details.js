// Beside the conversation, and who reads it: fetched again when somebody changes what is told there, part by part,
// but never under the hands of whoever opens or fills in something.
import { landmark, openChat, title } from "navigation"

// Names of events. Whoever shows more there adds what it depends on: renewDetailsOn(/^contact\./).
const patterns = [
  /^participant\./,
  /^chat\.(group_|created|background)/,
  /^inbox\.(group_asked|icon_ready|errand_failed|contact_changed|card_shared)$/,
  /^inbox\.chat_(assigned|closed|reopened|snoozed|woken|started)$/,
  /^inbox\.label_/,
  /^contact_card\./,
  /^phone_number\./,
  /opted_(out|in)$/,
  /line_(paused|resumed)$/,
]
const OF_MEMBERS = /^participant\.|^chat\.(group_|created$)|icon_ready$/

export const renewDetailsOn = (pattern) => patterns.push(pattern)

const details = () => document.getElementById("details")
const drawn = new Map()
let isStale = false
let isWanted = false
let asked = 0

async function fetched(path) {
  const answer = await fetch(path).catch(() => null)
  if (!answer?.ok) return null
  const template = document.createElement("template")
  template.innerHTML = (await answer.text()).trim()
  return document.importNode(template.content, true).firstElementChild
}

export async function renewDetails({ now = false } = {}) {
  const chat = details()?.dataset.chat
  if (!chat || chat !== openChat()) return
  // Whoever has just done something here wants to see what came of it, whatever else is asked for meanwhile.
  isWanted ||= now
  const number = ++asked
  const next = await fetched(`/chats/${chat}/details/`)
  if (!next || number !== asked || details()?.dataset.chat !== chat) return
  const isForced = isWanted
  isStale = isWanted = false
  if (drawn.get("chat") !== chat) drawn.clear()
  drawn.set("chat", chat)
  const wanted = [...next.children].filter((part) => part.id)
  for (const part of [...details().children]) {
    if (part.id && (isForced || !isBusy(part)) && !wanted.some(({ id }) => id === part.id)) part.remove()
  }
  let before = details().querySelector(".details__bar")
  for (const part of wanted) {
    const old = document.getElementById(part.id)
    before = old ? exchange(old, part, isForced) : insert(part, before)
  }
  document.querySelectorAll("by-line[data-handle]").forEach((line) => line.name())
  landmark()
}

function insert(part, before) {
  drawn.set(part.id, part.outerHTML)
  before.after(part)
  htmx.process(part)
  return part
}

// The part of the page that stands there now.
function exchange(old, part, isForced) {
  if (drawn.get(part.id) === part.outerHTML) return old
  if (!isForced && isBusy(old)) {
    isStale = true
    return old
  }
  drawn.set(part.id, part.outerHTML)
  if (old.matches("details")) part.open = old.open
  const focused = old.contains(document.activeElement) && (document.activeElement.id || "nothing")
  old.replaceWith(part)
  htmx.process(part)
  if (focused) (document.getElementById(focused) ?? part.querySelector("summary, button"))?.focus()
  return part
}

const isBusy = (part) =>
  Boolean(part.querySelector("pop-over[open], dialog[open], inline-edit[open]")) ||
  (part.contains(document.activeElement) && document.activeElement.matches("input:not([type=file]), textarea, select"))

async function renewReaders() {
  const [chat, old] = [openChat(), document.getElementById("readers")]
  if (!chat || !old) return
  const next = await fetched(`/chats/${chat}/readers/`)
  if (next && old.isConnected) old.replaceWith(next)
}

// What was put off is done once nobody is at it any more.
function calm() {
  setTimeout(() => isStale && renewDetails(), 50)
}

document.addEventListener("live:event", ({ detail: { chat, event } }) => {
  if (chat && chat !== openChat()) return
  if (!patterns.some((pattern) => pattern.test(event))) return
  renewDetails()
  if (OF_MEMBERS.test(event)) document.dispatchEvent(new CustomEvent("group:changed"))
})
document.addEventListener("group:changed", renewReaders)
document.addEventListener("message:sent", renewReaders)
document.addEventListener("live:refresh", () => renewDetails())
document.addEventListener("details:renew", () => renewDetails({ now: true }))
for (const name of ["focusout", "click", "close", "keyup"]) document.addEventListener(name, calm, true)
document.addEventListener("conversation:shown", () => drawn.clear())

// The head says the name that the conversation has now; what else carries it follows.
document.addEventListener("head:renewed", () => {
  const [shown, name] = [document.getElementById("conversation"), document.querySelector("#head .thread__name")?.textContent.trim()]
  if (!shown?.dataset.chat || !name || shown.dataset.title === name) return
  shown.dataset.title = name
  shown.setAttribute("aria-label", `Conversation with ${name}`)
  title()
})
