// On every page.
import "elements/local-time"
import "elements/pop-over"
import "elements/theme-choice"
import "elements/toast-note"
import "elements/copy-button"

// In which zone the reader's days begin and end.
document.cookie = `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}; path=/; SameSite=Lax`
