// On every page.
import "elements/local-time"
import "elements/pop-over"
import "elements/theme-choice"
import "elements/toast-note"
import "elements/copy-button"
