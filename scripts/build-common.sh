# Sourced: builds a program, wherever cargo is configured to put it.

# Builds with the given arguments of `cargo build`, and prints the path of the program. Cargo's progress and errors go to
# standard error.
built() {
  local messages
  messages=$(cargo build --locked --message-format json-render-diagnostics "$@") || return
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' <<<"$messages" | tail -n 1
}
