# bash complete.bash FOLDER WORD...: what a Tab behind the last word offers, one a line. FOLDER has the completions.
source /usr/share/bash-completion/bash_completion
source "$1/uwt"
source "$1/uwtctl"
shift
# As readline sets them.
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
COMPREPLY=()
# Only readline can be told not to put a blank behind a word.
compopt() { :; }
read -r -a specification <<<"$(complete -p "$1")"
for index in "${!specification[@]}"; do
    if [[ ${specification[index]} == -F ]]; then
        "${specification[index + 1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    fi
done
printf '%s\n' "${COMPREPLY[@]}"
