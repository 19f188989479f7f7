// The open conversation: reading it, and its head and foot when somebody changes what they say.
import { openChat, show } from "navigation"
import { headers } from "requests"

const WRITABLE = /opted_(out|in)$|line_(paused|resumed)$|^phone_number\./

let unseen = true
let keptUnread = false

// Reading is looking at it: the conversation is on the screen, and this tab is the one in front.
async function read() {
  const chat = openChat()
  const messages = document.querySelector("message-list")
  // Who looks into the inbox of another reads nothing for them, and tells nobody.
  if (document.querySelector("chat-list")?.dataset.reader) return
  if (!chat || !unseen || keptUnread || document.hidden || !document.hasFocus() || !messages?.checkVisibility()) return
  unseen = false
  const answer = await fetch(`/chats/${chat}/read/`, { method: "POST", headers: headers() }).catch(() => null)
  if (!answer?.ok) unseen = true
  else document.dispatchEvent(new CustomEvent("conversation:read", { detail: { chat } }))
}

async function renew(part) {
  const chat = openChat()
  const answer = await fetch(`/chats/${chat}/${part}/`)
  const old = document.getElementById(part)
  if (chat !== openChat()) return
  if (answer.status === 404) return lose()
  if (!answer.ok || !old) return
  const template = document.createElement("template")
  template.innerHTML = (await answer.text()).trim()
  const next = document.importNode(template.content, true).firstElementChild
  // A composer in which somebody writes is not exchanged for another one.
  if (part === "foot" && next.dataset.foot === old.dataset.foot) return
  old.replaceWith(next)
  htmx.process(next)
  document.dispatchEvent(new CustomEvent(`${part}:renewed`))
  if (part === "head") offerToTakeOver()
}

// Who has the conversation need not take it over.
function offerToTakeOver() {
  const button = document.querySelector("[data-take-over]")
  if (button) button.hidden = document.getElementById("head")?.dataset.assignee === document.body.dataset.user
}

let lost = null

// What one may not see any more goes at once.
async function lose() {
  if (lost === openChat()) return
  lost = openChat()
  await show(null)
  lost = null
  const said = Object.assign(document.createElement("toast-note"), { className: "toast", textContent: "This conversation is not yours to see any more" })
  document.getElementById("toasts").replaceChildren(said)
}

// A small part of the page, drawn anew by the server.
function exchange(id, html) {
  const template = document.createElement("template")
  template.innerHTML = html.trim()
  document.getElementById(id)?.replaceWith(document.importNode(template.content, true))
}

function hear(detail) {
  const { chat, event, state } = detail
  if (WRITABLE.test(event) && (!chat || chat === openChat())) renew("foot")
  if (!chat || chat !== openChat()) return
  const head = document.getElementById("head")
  if (head && state && (head.dataset.status !== state.status || head.dataset.assignee !== (state.assignee ?? ""))) {
    renew("head")
  }
  for (const id of ["typing", "seen"]) if (detail[id]) exchange(id, detail[id])
  if (/location/.test(event)) renew("locations")
  if (/contact_changed$|chat_snoozed$/.test(event)) renew("head")
  if (/^(message|poll)\.received$/.test(event)) {
    unseen = true
    read()
  }
}

document.addEventListener("live:event", ({ detail }) => hear(detail))
document.addEventListener("live:refresh", () => openChat() && (renew("head"), renew("foot"), renew("locations")))
document.addEventListener("conversation:lost", lose)
document.addEventListener("message:sent", () => renew("foot"))
document.addEventListener("group:changed", () => (renew("head"), renew("foot")))
document.addEventListener("conversation:shown", () => {
  unseen = true
  keptUnread = false
  read()
})
document.addEventListener("htmx:afterSettle", ({ detail }) => detail.target?.id === "head" && offerToTakeOver())
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.requestConfig?.path.endsWith("/unread/")) keptUnread = true
})
document.addEventListener("visibilitychange", read)
addEventListener("focus", read)
read()
