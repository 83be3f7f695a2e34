# The wrapped commands: their originals are beside them.
function __fish_uwtctl_wrapped
    string replace -r '.*/(.*)\.anondist-orig$' '$1' $PATH/*.anondist-orig
end

# Prints what follows `audit` as far as it is typed; fails where that is an option of `audit`.
function __fish_uwtctl_audited
    __fish_uwtctl_using_subcommand audit
    or return
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1..(contains -i audit $words)]
    set -l typed $words
    argparse -s @AUDIT@ -- $words 2>/dev/null
    # What could not be understood is left as it was.
    test (count $argv) -gt 0
    or return
    contains -- -- $typed
    or not string match -q -- '-*' $argv[1]
    or return
    string join0 -- $argv
    # A single word was not joined, which is no failure here.
    return 0
end

# It is completed as behind uwt.
function __fish_uwtctl_complete_audited
    set -l words (__fish_uwtctl_audited | string split0)
    __fish_complete_subcommand --commandline uwt $words
end

complete -c uwtctl -n '__fish_uwtctl_audited >/dev/null' -x -a '(__fish_uwtctl_complete_audited)'
