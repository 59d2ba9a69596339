#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The sequence number wraps twice while a tenth of the copies is lost on the way: who was there from
# the start still decrypts, and who joins then decrypts from the first packet, with every suite, by
# libsrtp2 and by ffmpeg's own SRTP code (TRAPS 11, 12, 14).
. "$(dirname "$0")/harness.sh"
PACKETS_A_SECOND=5000 # a wrap is 13 s then, not 22 minutes
WRAP=65536

smoke_begin
command -v ffmpeg >/dev/null || skip "ffmpeg is not installed"
# Loss behind the relay, where AF_XDP cannot pass it by.
lab_in listeners nft -f - <<'END' || skip "nftables cannot drop on ingress here"
table netdev lab {
	chain loss {
		type filter hook ingress device "eth0" priority 0;
		udp sport 40000 numgen random mod 10 == 0 counter drop
	}
}
END
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann 1
ear_start early 0
# Meaningless bytes: four ears that decode a hundred times real time would want CPUs of their own.
speaker_start ann 5004 1001 --payload 80 --level 20 --pps "$PACKETS_A_SECOND"
wait_for 20 "no audio" ear_heard early 100 || fail "no audio"

slot_index() {
	event '{"type":"room.get","room":"tea"}' |
		jq -r '[.room.slot[] | select(.member == "ann") | .index][0] // 0'
}
index_reaches() {
	[ "$(slot_index)" -ge "$1" ]
}
step "index $(slot_index)"
wait_for 90 "the index does not wrap twice" index_reaches $((2 * WRAP + 2000)) ||
	fail "index $(slot_index) after 90 s"
step "index $(slot_index): late joiners"

# They listen before they join: at this rate a receiver that is slow to start could miss a whole
# wrap, and nobody who sees none of it can count it.
late=(gcm128 AEAD_AES_128_GCM 28 gcm256 AEAD_AES_256_GCM 44 cm80 AES128_CM_HMAC_SHA1_80 30)
late_keys=()
for ((i = 0; i < ${#late[@]}; i += 3)); do
	late_keys+=("$(random_key "${late[i + 2]}")")
	ear_at "${late[i]}" "10.0.2.$i" $((6002 + i)) "${late[i]}" "${late_keys[i / 3]}"
done

ffmpeg_key=$(random_key 30)
lab_in listeners ip address replace 10.0.2.100/32 dev eth0
cat >"$LAB_DIR/listen.sdp" <<END
v=0
o=- 0 0 IN IP4 $RELAY_LISTENERS
s=late joiner
c=IN IP4 10.0.2.100
t=0 0
m=audio 6100 RTP/SAVP 111
a=rtpmap:111 opus/48000/2
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:$ffmpeg_key
END
lab_start listeners ffmpeg ffmpeg -nostdin -loglevel verbose -protocol_whitelist file,rtp,srtp,udp \
	-i "$LAB_DIR/listen.sdp" -c:a copy -f framecrc "$LAB_DIR/ffmpeg.packets"
wait_for 10 "ffmpeg does not listen" udp_listens 6100 || fail "ffmpeg does not listen"
join_listener tea ann ffmpeg 10.0.2.100 6100 AES128_CM_HMAC_SHA1_80 "$ffmpeg_key"
for ((i = 0; i < ${#late[@]}; i += 3)); do
	join_listener tea ann "${late[i]}" "10.0.2.$i" $((6002 + i)) "${late[i + 1]}" \
		"${late_keys[i / 3]}"
done
for name in gcm128 gcm256 cm80 ffmpeg; do
	wait_for 30 "$name hears nothing" ear_heard "$name" 2000 || fail "$name hears nothing"
done

lab_stop ffmpeg INT || true
for name in early gcm128 gcm256 cm80; do
	ear_stop "$name"
	step "$name: $(jq -c '{packets, lost, auth_failures, duplicates, too_old}' "$LAB_DIR/$name.json")"
	equal "packets that $name could not authenticate" "$(jq .auth_failures "$LAB_DIR/$name.json")" 0
done
step "ffmpeg: $(grep -vc '^#' "$LAB_DIR/ffmpeg.packets") packets"
# ffmpeg's libavformat/srtp.c says this of a packet whose tag or rollover counter is wrong.
if grep -i "hmac mismatch" "$LAB_DIR/ffmpeg.log"; then
	fail "ffmpeg could not authenticate"
fi
# Loss was there: some of what was sent did not arrive, and around both wraps as everywhere.
[ "$(jq .lost "$LAB_DIR/early.json")" -gt 5000 ] || fail "nothing was lost on the way"
[ "$(jq .packets "$LAB_DIR/early.json")" -gt "$WRAP" ] || fail "the early one has heard too little"
