// On every page.
import "elements/local-time"
import "elements/pop-over"
import "elements/theme-choice"
import "elements/toast-note"
import "elements/copy-button"
import { bringInSight } from "in-sight"

// More tabs or chapters than there is room for: the open one is in sight.
document.querySelectorAll(":is(.tabs, .subnav, .segments) > [aria-current]").forEach(bringInSight)

// In which zone the reader's days begin and end.
document.cookie = `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}; path=/; SameSite=Lax`
