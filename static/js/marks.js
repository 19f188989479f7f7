// Marks what was searched for in a text on the page; the same letters as the server finds equal.
const SPELT = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i", ħ: "h" }
const ESCAPED = /[\\^$.*+?()[\]{}|/-]/g

// `terms` are lists of words, each with whether the last of them may go on.
export function pattern(terms) {
  const words = terms.map(
    ([said, goesOn]) => said.map((word) => word.replace(ESCAPED, "\\$&")).join("[^\\p{L}\\p{N}]+") + (goesOn ? "" : "(?![\\p{L}\\p{N}])"),
  )
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join("|")})`, "gu")
}

export function mark(root, wanted) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  const nodes = []
  while (texts.nextNode()) if (!texts.currentNode.parentElement.closest("mark, button, local-time")) nodes.push(texts.currentNode)
  for (const node of nodes) markIn(node, wanted)
}

function markIn(node, wanted) {
  const [plain, places] = plainOf(node.data)
  const found = [...plain.matchAll(wanted)].filter(([words]) => words)
  for (const { index, 0: words } of found.reverse()) {
    const [start, end] = [places[index], places[index + words.length]]
    const rest = node.splitText(start)
    rest.splitText(Math.max(1, end - start))
    const marked = document.createElement("mark")
    rest.replaceWith(marked)
    marked.append(rest)
  }
}

// Without accents and capitals, and where each letter of that stands in the text.
function plainOf(text) {
  const [letters, places] = [[], []]
  let place = 0
  for (const letter of text) {
    for (const piece of letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()) {
      const low = SPELT[piece] ?? piece
      letters.push(low)
      for (let unit = 0; unit < low.length; unit++) places.push(place)
    }
    place += letter.length
  }
  return [letters.join(""), [...places, text.length]]
}
