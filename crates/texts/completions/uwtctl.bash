# The wrapped commands: their originals are beside them.
_uwtctl_wrapped() {
    local folder file folders names=()
    IFS=: read -r -a folders <<<"$PATH"
    for folder in "${folders[@]}"; do
        for file in "$folder"/*.anondist-orig; do
            file=${file##*/}
            [[ $file == \** ]] || names+=("${file%.anondist-orig}")
        done
    done
    mapfile -t COMPREPLY < <(compgen -W "${names[*]}" -- "$1")
}

# Completes what follows `audit` as it is completed behind uwt; $1 is the place of its first word.
_uwtctl_audited() {
    COMP_WORDS=(uwt "${COMP_WORDS[@]:$1}")
    COMP_CWORD=$((COMP_CWORD - $1 + 1))
    COMP_LINE=${COMP_WORDS[*]}
    COMP_POINT=${#COMP_LINE}
    # Its name since bash-completion 2.12, and the earlier one.
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset 0
    else
        _command_offset 0
    fi
}

# Completes uwtctl's commands and options, and names of programs where they are expected.
_uwtctl_and_names() {
    local index=1 command=
    while ((index < COMP_CWORD)); do
        case $command:${COMP_WORDS[index]} in
            audit:--)
                _uwtctl_audited $((index + 1))
                return
                ;;
            @AUDIT_WITH_VALUE@)
                # `=` is a word of its own here (COMP_WORDBREAKS).
                if [[ ${COMP_WORDS[index + 1]-} == = ]]; then
                    ((index++))
                fi
                ((index++))
                ;;
            *:-*) ;;
            audit:*)
                _uwtctl_audited "$index"
                return
                ;;
            *) command+=${command:+ }${COMP_WORDS[index]} ;;
        esac
        ((index++))
    done
    if [[ $2 != -* ]] && ((index == COMP_CWORD)); then
        case "$command " in
            'audit ')
                _uwtctl_audited "$index"
                return
                ;;
            @WRAPPED@)
                _uwtctl_wrapped "$2"
                return
                ;;
            @PROGRAMS@)
                mapfile -t COMPREPLY < <(compgen -c -- "$2")
                return
                ;;
        esac
    fi
    _uwtctl "$@"
}

complete -F _uwtctl_and_names -o bashdefault -o default uwtctl
