# SPDX-License-Identifier: BSD-3-Clause
set title "Where the nanoseconds of a copy go"
set xlabel "ns a copy"
stats data using 2 skip 1 nooutput
set yrange [STATS_records - 0.4:-0.6]
set ytics noenhanced
set xrange [0:*]
set style fill solid 0.9
set boxwidth 0.7
unset key
set grid noytics
plot data using (0.5 * $2):0:(0.5 * $2):(0.35):ytic(1) skip 1 with boxxyerror lc rgb "#0b6e4f", \
     data using 2:0:(sprintf(" %.1f", $2)) skip 1 with labels left
