# SPDX-License-Identifier: BSD-3-Clause
set title "A join storm into a forwarding worker, and what the others lost"
set xlabel "seconds"
set ylabel "joins"
set y2label "copies lost"
set ytics nomirror
set y2tics nomirror
set yrange [0:*]
set y2range [0:1<*]
set border 11 ls 21
set key top left inside
plot data using 1:2 skip 1 with lines ls 1 title "joins", \
     data using 1:3 skip 1 axes x1y2 with lines ls 4 title "copies lost"
