# Sourced by the commands beside it, which set $lock and $command: finds a Python for environment.py.
set -eu

find_python() {
  if [ -n "${PARTYLINE_PYTHON:-}" ]; then
    set -- "$PARTYLINE_PYTHON"
  else
    set -- python3 python3.14 python3.13 python3.12 python3.11
  fi
  for candidate; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Partyline needs Python 3.11 or newer: install it, or set PARTYLINE_PYTHON to where it is." >&2
  return 1
}

python=$(find_python) || exit 1
exec "$python" "$(dirname -- "$0")/environment.py" "$lock" "$command" "$@"
