#!/usr/bin/env bash
# Counts the instructions of the verdict path under callgrind, and fails if a case costs more than 5 % above
# `benches/baseline.json`:
#
#   benches/instructions.sh            # compare
#   benches/instructions.sh --write    # make the current counts the baseline
#
# The script compares two counts: the whole path, and our own part, which is the whole minus the bare primitive over the same
# signed bytes. At 16 KiB the hash is nearly the whole path, so our own part could double within 5 % of it. Only the whole
# shows when the primitive itself gets more expensive.
#
# valgrind 3.19 has no SHA instructions, so SHA-256 runs portable code here. The counts do not show how long a hash takes on a
# CPU that has them.
#
# The counts depend on the compiler, the allocator and the CPU model (the one that valgrind emulates), so the baseline names
# them. If they differ from the baseline's, the script shows the differences and gives no verdict. Write a new baseline in a
# separate commit when the toolchain changes.
set -euo pipefail
cd "$(dirname "$0")"

baseline=baseline.json
limit=5
write=false
case "${1-}" in
  "") ;;
  --write) write=true ;;
  *) echo "usage: $0 [--write]" >&2 && exit 2 ;;
esac

command -v valgrind >/dev/null || { apt-get update && apt-get install -y valgrind; } >&2
cargo build --locked --quiet --release --package instructions
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cd "$target/release"

# Fixes the name, directory, environment and addresses, because `memcpy` chooses its path by address. An empty environment
# also rules out `GLIBC_TUNABLES` and the like.
run() { env -i setarch --addr-no-randomize valgrind "$@"; }

count() { # prints the instructions of a case; the first argument is `ours` or `bare`
  local log
  log=$(run --tool=callgrind --callgrind-out-file=/dev/null --read-inline-info=no \
    --toggle-collect='*between_the_marks*' ./instructions "$@" 2>&1) || { echo "$log" >&2 && return 1; }
  sed -n 's/.*Collected : //p' <<<"$log" | grep -x '[1-9][0-9]*' || { echo "nothing counted: $log" >&2 && return 1; }
}

row() { # prints a case as a row of the baseline
  local surface sender delivery size chunks total bare
  read -r surface sender delivery size chunks <<<"$1"
  total=$(count ours "$1")
  bare=$(count bare "$1")
  printf '    {"group": "%s", "case": "%s %s", "contestant": "countersign", "size": %d, "chunks": %d, "instructions": %d, "own": %d}\n' \
    "$surface" "$sender" "$delivery" "$size" "$chunks" "$total" "$((total - bare))"
}
export -f run count row

toolchain=$(
  libc=$(getconf GNU_LIBC_VERSION)
  echo "$(rustc --version), $(valgrind --version), $libc, $(cc --version | head -1), $(uname -m), $(run --quiet ./instructions features)"
)
measured=$(./instructions list | xargs -d '\n' -P "$(nproc)" -I{} bash -euo pipefail -c 'row "$1"' row {} | LC_ALL=C sort)

cd - >/dev/null
if $write; then
  {
    printf '{\n  "bench": "instructions",\n  "toolchain": "%s",\n  "rows": [\n' "$toolchain"
    sed '$!s/$/,/' <<<"$measured"
    printf '  ]\n}\n'
  } >"$baseline"
  echo "$(wc -l <<<"$measured") cases in benches/$baseline"
  exit
fi

written=$(sed -n 's/^  "toolchain": "\(.*\)",$/\1/p' "$baseline")
comparable=1
[ "$toolchain" = "$written" ] || comparable=0
awk -v limit="$limit" -v comparable="$comparable" '
  function value(key,   found) { # reads a field of a row that `row` wrote
    match($0, "\"" key "\": \"?[^\",}]*")
    found = substr($0, RSTART, RLENGTH)
    sub(/^[^:]*: "?/, "", found)
    return found
  }
  function change(now, before) { return before ? (now / before - 1) * 100 : (now ? 100 : 0) }
  !/"instructions": / { next }
  { name = sprintf("%-5s %-26s %5d B in %2d", value("group"), value("case"), value("size"), value("chunks")) }
  NR == FNR { total[name] = value("instructions"); own[name] = value("own"); next }
  {
    if (!rows++) printf "%-46s %13s %8s %10s %8s\n", "case", "instructions", "", "our own", ""
    if (!(name in total)) { printf "%-46s is not in the baseline\n", name; failed++; next }
    of_all = change(value("instructions"), total[name]); of_own = change(value("own"), own[name])
    dearer = of_all > limit || of_own > limit
    failed += dearer
    cheaper += !dearer && of_own < -limit
    printf "%-46s %13d %+7.2f%% %10d %+7.2f%%%s\n", name, value("instructions"), of_all, value("own"), of_own, dearer ? "  <" : ""
    delete total[name]
  }
  END {
    for (name in total) { printf "%-46s is in the baseline only\n", name; failed++ }
    if (failed) printf "%d of %d cases are more than %d %% above the baseline, or missing on one side\n", failed, rows, limit
    if (cheaper) printf "%d cases improved by more than %d %%: use --write, or the gain can be lost unnoticed\n", cheaper, limit
    exit failed && comparable
  }' "$baseline" - <<<"$measured" || {
  echo "If the cost is justified, run benches/instructions.sh --write and give the reason in the commit." >&2
  exit 1
}
if [ "$comparable" = 0 ]; then
  printf 'NO VERDICT, because the toolchain differs:\n  baseline: %s\n  here:     %s\n' "$written" "$toolchain"
fi
