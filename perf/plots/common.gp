# SPDX-License-Identifier: BSD-3-Clause
# What all plots have in common. plot.sh sets data (the file), out (without suffix), curves.
set encoding utf8
set style line 1 lc rgb "#0b6e4f" lw 3 pt 7 ps 1.1
set style line 2 lc rgb "#2a9d8f" lw 2 pt 5 ps 1
set style line 3 lc rgb "#8ab17d" lw 2 pt 9 ps 1
set style line 4 lc rgb "#d1495b" lw 2 pt 11 ps 1
set style line 5 lc rgb "#edae49" lw 2 pt 13 ps 1
set style line 6 lc rgb "#00798c" lw 2 pt 4 ps 1
set style line 7 lc rgb "#5f4bb6" lw 2 pt 6 ps 1
set style line 8 lc rgb "#8d6346" lw 2 pt 8 ps 1
set style line 9 lc rgb "#30323d" lw 2 pt 10 ps 1
set style line 10 lc rgb "#9a9a9a" lw 2 pt 12 ps 1
set style line 11 lc rgb "#c77dff" lw 2 pt 14 ps 1
set style line 12 lc rgb "#3a86ff" lw 2 pt 2 ps 1
set style line 13 lc rgb "#bc4749" lw 2 pt 1 ps 1
set style line 20 lc rgb "#dddddd" lw 1
set style line 21 lc rgb "#555555" lw 1
set border 3 ls 21
set grid ls 20
set tics nomirror
set key outside right top vertical Left reverse samplen 2 spacing 1.15 noenhanced
