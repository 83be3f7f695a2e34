# Prints the command and its arguments as far as they are typed; fails as long as there is none.
function __fish_uwt_command
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1]
    argparse -s @OPTIONS@ -- $words 2>/dev/null
    # What could not be understood is left as it was.
    test -n "$argv[1]"
    and not string match -q -- '-*' $argv[1]
    and string join0 -- $argv
end

function __fish_uwt_needs_command
    not __fish_uwt_command >/dev/null
end

# They are completed as if they were typed alone.
function __fish_uwt_complete_command
    set -l command (__fish_uwt_command | string split0)
    __fish_complete_subcommand --commandline $command
end

complete -c uwt -x -a '(__fish_uwt_complete_command)'
