// On every page.
import "elements/local-time"
import "elements/pop-over"
import "elements/theme-choice"
import "elements/toast-note"
import "elements/copy-button"

// More tabs than a phone is wide: the open one is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" })

// In which zone the reader's days begin and end.
document.cookie = `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}; path=/; SameSite=Lax`
