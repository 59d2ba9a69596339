# SPDX-License-Identifier: BSD-3-Clause
set title "First to last copy of one packet"
set xlabel "us"
set ylabel "per cent of packets at most so long"
set yrange [0:100]
set xrange [0:*]
set key bottom right inside
plot for [i = 0:curves - 1] data index i using 1:2 with lines ls i + 1 title columnheader(1)
