# SPDX-License-Identifier: BSD-3-Clause
set title "What a listener takes of the data plane"
set xlabel "bytes"
stats data using 2 skip 1 nooutput
set yrange [STATS_records - 0.4:-0.6]
set ytics noenhanced
set xrange [0:*]
set style fill solid 0.9
unset key
set grid noytics
plot data using (0.5 * $2):0:(0.5 * $2):(0.35):ytic(1) skip 1 with boxxyerror lc rgb "#00798c", \
     data using 2:0:(sprintf(" %.0f", $2)) skip 1 with labels left
