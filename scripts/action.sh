#!/usr/bin/env bash
# Runs the command of mawps that MAWPS_RUN holds, puts the end of what it said on the page of the job, and ends as it did.
set -uo pipefail

mapfile -d '' -t words < <(printf '%s' "$MAWPS_RUN" | xargs printf '%s\0')
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

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
