#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes speech.opus: about 25 seconds of two synthetic voices, Ogg Opus, 48 kHz mono, 20 ms frames,
# 24 kbit/s. Run it in this folder; it needs espeak-ng and ffmpeg with libopus. The file is kept
# in the tree so that tests hear the same speech everywhere.
set -eu

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

say() {
	espeak-ng -v "$2" -s "$3" -w "$directory/$1.wav" "$4"
}

say 1 en-gb 150 "Stentor was a herald of the Greeks before Troy. \
His voice, they said, was as loud as the voices of fifty other men."
say 2 en-us+f3 155 "Today one speaker talks, and tens of thousands listen. \
Every copy of this packet carries a key of its own."
say 3 en-gb 150 "If you can hear this sentence without a gap, \
then the relay has decrypted it once, and encrypted it for you alone."
say 4 en-us+f3 155 "One, two, three, four, five, six, seven, eight, nine, ten. Goodbye."

ffmpeg -v error -y -i "$directory/1.wav" -i "$directory/2.wav" -i "$directory/3.wav" \
	-i "$directory/4.wav" -filter_complex '[0][1][2][3]concat=n=4:v=0:a=1,aresample=48000' \
	-ac 1 -c:a libopus -b:a 24k -vbr on -application voip -frame_duration 20 \
	-map_metadata -1 -fflags +bitexact -flags:a +bitexact speech.opus
