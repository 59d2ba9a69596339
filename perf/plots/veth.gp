# SPDX-License-Identifier: BSD-3-Clause
set title "Over the same veth, none lost: 100 bytes of payload, a key for each listener"
set xlabel "listeners"
set ylabel "million copies a second"
set logscale xy
set format x "10^{%T}"
plot for [i = 0:curves - 1] data index i using 1:2 with linespoints ls i + 1 title columnheader(1)
