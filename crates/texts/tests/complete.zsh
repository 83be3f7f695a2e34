# zsh -f complete.zsh FOLDER LINE: what a Tab at the end of the line offers, each between a SOH character and the line's end.
# FOLDER has the completion, and is the home of the shell that is typed into.
zmodload zsh/zpty
cat >$1/.zshrc <<'END'
PROMPT=
unset zle_bracketed_paste
bindkey '^I' complete-word
fpath=($ZDOTDIR $fpath)
autoload -U compinit
compinit -u -C -d $ZDOTDIR/dump
# Every function that completes gives its words to this builtin; with these options it only fills variables.
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    local -a words
    builtin compadd -A words "$@"
    (( $#words )) && print -rl -- $'\x01'${^words}
    builtin compadd "$@"
}
finish() { exit }
comppostfuncs=(finish)
print READY
END
export ZDOTDIR=$1
zpty shell zsh -i
zpty -r shell output '*READY*'
zpty -w -n shell "$2"$'\t'
while zpty -r shell output; do
    print -rn -- $output
done
