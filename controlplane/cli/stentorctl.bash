# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Completion of stentorctl's verbs, options, rooms and members: the program itself knows them.

_stentorctl() {
	local IFS=$'\n'
	local line=${COMP_LINE:0:COMP_POINT} words word=${COMP_WORDS[COMP_CWORD]}

	# Colons belong to ids, but end a word for readline: words are cut at blanks here.
	IFS=$' \t' read -r -a words <<<"$line"
	[[ $line == *[[:blank:]] ]] && words+=("")
	mapfile -t COMPREPLY < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
	if [[ ${words[-1]} == *:* && ${words[-1]} != "$word" ]]; then
		local prefix=${words[-1]%"$word"}
		COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
	fi
}
complete -F _stentorctl stentorctl
