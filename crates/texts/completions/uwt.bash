# Completes uwt's options, then the command and its arguments as if they were typed alone.
_uwt_and_command() {
    local index=1 value
    while ((index < COMP_CWORD)); do
        value=0
        case ${COMP_WORDS[index]} in
            --)
                ((index++))
                break
                ;;
            @WITH_VALUE@ | -[@FLAGS@][@SHORTS@])
                value=1
                ;;
            -*) ;;
            *)
                break
                ;;
        esac
        ((index++))
        # `=` is a word of its own here (COMP_WORDBREAKS).
        if [[ ${COMP_WORDS[index]-} == = ]]; then
            ((index += 2))
        else
            ((index += value))
        fi
    done
    local current=$2 previous=$3
    if ((index < COMP_CWORD)) || [[ $index -eq $COMP_CWORD && ($previous == -- || $current != -*) ]]; then
        # Its name since bash-completion 2.12, and the earlier one.
        if declare -F _comp_command_offset >/dev/null; then
            _comp_command_offset "$index"
        else
            _command_offset "$index"
        fi
        return
    fi
    case $current:$previous in
        *:=) previous=${COMP_WORDS[COMP_CWORD - 2]} ;;
        =:*) current= ;;
    esac
    _uwt "$1" "$current" "$previous"
}

complete -F _uwt_and_command -o bashdefault -o default uwt
