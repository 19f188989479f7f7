// Which conversation is open: rows, links and Back change it in place; every one has an address of its own.
const list = () => document.querySelector("chat-list, search-list")
const shown = () => document.getElementById("conversation")

export const view = () => list().dataset.view
export const openChat = () => shown()?.dataset.chat ?? null

// The address of the list itself: of the view, or of what is searched for.
const home = () => document.getElementById("results")?.dataset.here ?? address()

// Of the list, or of one of its conversations; it ends with what the list is narrowed to.
const address = (chat) => `${list().dataset.home}${chat ? `${chat}/` : ""}${list().dataset.query}`

export function show(chat) {
  return visit(chat ? address(chat) : home())
}

function visit(path, { push = true } = {}) {
  if (push) history.pushState(null, "", path)
  return htmx.ajax("GET", path, { target: "#conversation", swap: "outerHTML", source: "#conversation" })
}

export function title() {
  const badge = document.getElementById("unread-badge")
  const unread = badge && !badge.hidden ? badge.firstChild?.textContent.trim() : ""
  const name = shown()?.dataset.title
  document.title = `${unread && unread !== "0" ? `(${unread}) ` : ""}${name ? `${name} · ` : ""}Partyline`
}

// A link to a picture, a new tab and the like are the browser's.
const plain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)

function click(event) {
  const to = event.target.closest(".chat-row, [data-visit], [data-open], [data-back], [data-details-toggle]")
  if (!to || !plain(event)) return
  if (to.matches("[data-details-toggle]")) return fold()
  if (!list()) return
  if (to.matches("[data-visit]")) return event.preventDefault(), visit(to.getAttribute("href"))
  // Beside what was found there is only what was found.
  if (view() === "search" && !to.matches("[data-back]")) return
  event.preventDefault()
  show(to.matches("[data-back]") ? null : to.getAttribute("href").split("/").at(-2))
}

// The details are a zone on a wide window, which folds, and a screen of their own on a phone.
function fold() {
  const app = document.querySelector(".app")
  if (matchMedia("(width < 48rem)").matches) {
    document.body.dataset.screen = document.body.dataset.screen === "details" ? "conversation" : "details"
    return
  }
  const isShown = document.getElementById("details").checkVisibility()
  app.dataset.details = isShown ? "folded" : "shown"
}

function arrived() {
  document.body.dataset.screen = shown()?.dataset.screen ?? "list"
  title()
  document.dispatchEvent(new CustomEvent("conversation:shown", { detail: { chat: openChat() } }))
}

// On a phone one zone is the page, so it is also its main landmark.
const phone = matchMedia("(width < 48rem)")
export function landmark() {
  const screen = phone.matches && document.body.dataset.screen
  list()?.setAttribute("role", screen === "list" ? "main" : "region")
  document.querySelector(".people-list")?.setAttribute("role", screen === "people" ? "main" : "navigation")
  const details = document.getElementById("details")
  const isPage = screen === "details"
  details?.setAttribute("role", isPage ? "main" : "complementary")
  details?.querySelector(".details__name")?.setAttribute("aria-level", isPage ? "1" : "2")
}

phone.addEventListener("change", landmark)
new MutationObserver(landmark).observe(document.body, { attributeFilter: ["data-screen"] })
landmark()

document.addEventListener("click", click)
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id === "conversation") arrived()
  if (detail.target?.id === "tabs" || detail.target?.id === "unread-badge") title()
})
// Whether an address differs only in what is open.
function isOfThisList({ href, pathname, search }) {
  const base = pathname.split("/")[1]
  if (list()?.dataset.home) return pathname.startsWith(list().dataset.home) && of("label", search) === of("label", list().dataset.query)
  const asked = (url) => new URL(url, location.href).searchParams.get("q")
  return base === "search" && view() === "search" && asked(href) === asked(home())
}

const of = (name, query) => new URLSearchParams(query).get(name)

addEventListener("popstate", () => {
  if (!isOfThisList(location)) return location.reload()
  visit(location.pathname + location.search, { push: false })
})
