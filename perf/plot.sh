#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Draws every plot that the reports in perf/results/ have data for, as PNG and SVG, into
# perf/results/plots/. plots/data.py chooses the reports, plots/*.gp say how.
#
# usage: perf/plot.sh [RESULTS-FOLDER [OUTPUT-FOLDER]]
# Exit: 0, 3 gnuplot is missing or refuses.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=${1:-$top/perf/results}
plots=${2:-$results/plots}

command -v gnuplot >/dev/null || { echo "plot: gnuplot is not installed" >&2; exit 3; }
mkdir -p "$plots"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -B "$top/perf/plots/data.py" "$results" "$folder" >"$folder/list"
while read -r name curves; do
	for terminal in "pngcairo size 1100,560 font 'DejaVu Sans,11' background '#ffffff'" \
		"svg size 1100,560 font 'DejaVu Sans,13' background '#ffffff'"; do
		suffix=${terminal%% *}
		gnuplot -e "set terminal $terminal; set output '$plots/$name.${suffix%cairo}'" \
			-e "data = '$folder/$name.dat'; curves = $curves" \
			-e "load '$top/perf/plots/common.gp'; load '$top/perf/plots/$name.gp'" || exit 3
	done
	echo "$plots/$name.png"
done <"$folder/list"
