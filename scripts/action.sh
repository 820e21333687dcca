#!/usr/bin/env bash
# Runs the command of mawps that MAWPS_RUN holds, puts the end of what it said on the page of the job, and ends as it did.
set -uo pipefail

summary=${GITHUB_STEP_SUMMARY:-/dev/null}
said=$(mktemp)
split=$(mktemp)
trap 'rm -f "$said" "$split"' EXIT

# Behind a quote without an end nothing is known to be meant: a part of a command is none.
if ! printf '%s' "$MAWPS_RUN" | xargs printf '%s\0' >"$split" 2>/dev/null; then
  printf 'run: a quote has no end: %s\n' "$MAWPS_RUN" >&2
  exit 2
fi
mapfile -d '' -t words <"$split"

mawps "${words[@]}" 2>&1 | tee "$said"
code=${PIPESTATUS[0]}

case $code in
  0) came="done" ;;
  1) came="failed" ;;
  2) came="wrong usage" ;;
  3) came="done in part" ;;
  4) came="problems were found" ;;
  5) came="something is due" ;;
  *) came="interrupted" ;;
esac

# What others have named stands there as text.
escaped() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
{
  printf '<h3>mawps %s: %s</h3>\n\n<pre>\n' "$(printf '%s' "$MAWPS_RUN" | escaped)" "$came"
  tail -n 100 "$said" | escaped
  printf '</pre>\n\n'
} >>"$summary"
printf 'exit-code=%s\n' "$code" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
